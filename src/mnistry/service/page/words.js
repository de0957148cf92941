// Every text of the page in its two languages, and how texts get into the document.

const LANGUAGES = ["en", "zh-CN"];

const WORDS = {
  pageTagline: ["Draw digits and see how they are read.", "画出数字，看它们如何被识别。"],
  labelTagline: ["Say what is written in your own pictures.", "标注您自己的图片里写的是什么。"],
  labelDescription: ["Pictures, labelled by keyboard.", "用键盘标注图片。"],
  pageDescription: ["Handwritten digits, read as you draw them.", "手写数字，边写边识别。"],
  otherLanguage: ["中文", "English"],
  themeSystem: ["Automatic", "自动"],
  themeLight: ["Light", "浅色"],
  themeDark: ["Dark", "深色"],
  themeLabel: ["Colours: {theme}. Change", "配色：{theme}。切换"],

  draw: ["Drawing", "画板"],
  sheetLabel: ["Sheet to draw on", "画纸"],
  sheetRole: ["drawing sheet", "画纸"],
  sheetHelp: [
    "Draw with mouse, finger or pen. With the keyboard: the arrow keys move the pen, with Shift faster, and the space bar puts it down or lifts it.",
    "可用鼠标、手指或触控笔书写。键盘操作：方向键移动画笔，按住 Shift 加快，空格键落笔或提笔。",
  ],
  hint: ["Draw one or more digits", "在这里写一个或多个数字"],
  hintPicture: ["or drop or paste a picture", "也可以拖入或粘贴图片"],
  drop: ["Drop the picture here", "松开即可读取图片"],
  penDown: ["Pen down", "落笔"],
  penUp: ["Pen up", "提笔"],
  undo: ["Undo", "撤销"],
  clear: ["Clear", "清空"],
  thickness: ["Thickness", "笔画粗细"],
  picture: ["Picture", "图片"],
  camera: ["Camera", "拍照"],
  take: ["Take the picture", "拍摄"],
  cancel: ["Cancel", "取消"],
  viewLabel: ["What the camera sees", "摄像头画面"],
  noCamera: ["The camera cannot be used: {reason}", "无法使用摄像头：{reason}"],
  keys: ["Keyboard shortcuts", "键盘快捷键"],
  keyUndo: ["Undo the last stroke, picture or clearing", "撤销上一笔、图片或清空"],
  keyClear: ["Clear the sheet", "清空画纸"],
  keyArrows: ["Move the pen, when the sheet has the focus; with Shift faster", "移动画笔（画纸获得焦点时）；按住 Shift 加快"],
  spaceBar: ["Space", "空格"],
  keySpace: ["Put the pen down, or lift it", "落笔或提笔"],
  keyPaste: ["Read the picture on the clipboard", "读取剪贴板中的图片"],

  answer: ["What is read", "识别结果"],
  model: ["Model", "模型"],
  noDigit: ["No digit here", "这里没有数字"],
  empty: ["The sheet is empty.", "画纸是空的。"],
  nothingRead: ["Nothing on the sheet is read as a digit.", "画纸上没有可识别的数字。"],
  facts: ["Confidence {confidence} · answered in {ms} ms.", "置信度 {confidence} · 用时 {ms} 毫秒。"],
  answered: ["Answered in {ms} ms.", "用时 {ms} 毫秒。"],
  choose: ["Choose a digit to look at", "选择要查看的数字"],
  digitLabel: ["{digit}, {confidence}; digit {number} of {count}", "{digit}，{confidence}；第 {number} 个，共 {count} 个"],
  unsureLabel: ["not sure, perhaps {digit}, {confidence}; digit {number} of {count}", "不确定，可能是 {digit}，{confidence}；第 {number} 个，共 {count} 个"],
  spoken: ["Read: {digits}. Confidence {confidence}.", "识别结果：{digits}。置信度 {confidence}。"],
  spokenNone: ["No digit here. Nothing on the sheet is read as a digit.", "这里没有数字。画纸上没有可识别的数字。"],
  bars: ["Probabilities", "各数字的概率"],
  barsOf: ["Probabilities of digit {number} of {count}", "第 {number} 个数字（共 {count} 个）的概率"],
  digitColumn: ["Digit", "数字"],
  chanceColumn: ["Probability", "概率"],
  chance: ["{chance}", "{chance}"],
  noChance: ["–", "–"],
  noneUnknown: ["No digit: –", "非数字：–"],
  noneChance: ["No digit: {chance}", "非数字：{chance}"],
  unsure: ["“?” stands for a digit of less than {least} confidence.", "“?”表示置信度低于 {least} 的数字。"],

  squeezed: ["Sheet, squeezed", "整张画纸压缩"],
  seen: ["The network sees", "网络看到的"],
  squeezedLabel: ["The whole sheet, squeezed to 28 by 28 pixels", "整张画纸压缩为 28×28 像素"],
  seenLabel: ["The digit as the network gets it: 28 by 28 pixels, cut out and centred", "交给网络的数字：裁剪并居中的 28×28 像素图像"],
  wouldSay: ["It would say {digit} ({confidence})", "网络会答 {digit}（{confidence}）"],
  nothingSaid: ["Nothing yet", "暂无"],
  wouldSayNone: ["It would see no digit ({confidence})", "网络会认为没有数字（{confidence}）"],
  saysNone: ["It sees no digit ({confidence})", "网络认为没有数字（{confidence}）"],
  says: ["It says {digit} ({confidence})", "网络答 {digit}（{confidence}）"],
  why: [
    "The network learnt from digits scaled to 20×20 pixels, their centre of mass in the middle of 28×28. A whole sheet squeezed to 28×28 is like none of them: too small, too thin, off centre. So each digit is cut out, scaled and centred first.",
    "网络学过的数字都缩放到 20×20 像素，重心位于 28×28 的正中。整张画纸直接压缩到 28×28，数字会太小、太细、偏离中心，与学过的都不一样。因此要先把每个数字裁剪、缩放并居中。",
  ],

  wrong: ["This is wrong", "识别错了"],
  right: ["What is written there?", "写的是什么？"],
  keep: ["Keep", "保存"],
  rightHelp: [
    "Type over the marked digit; tap another one to mark it. Put | between lines. Leave it empty if there is no digit.",
    "直接输入以替换选中的数字；点按其他数字可选中它。各行之间用 | 分隔。没有数字则留空。",
  ],
  keptAs: ["Kept as {label}. Pictures so far: {pictures}.", "已保存为 {label}。目前共 {pictures} 张图片。"],
  keptEmpty: ["Kept as a picture without digits. Pictures so far: {pictures}.", "已保存为没有数字的图片。目前共 {pictures} 张图片。"],
  keyCorrect: ["Correct the chosen digit", "更正所选的数字"],
  correctHow: [
    "Misread? `mnistry serve --corrections FOLDER` keeps what you correct here, and `mnistry teach FOLDER` learns from it.",
    "识别错了？用 `mnistry serve --corrections FOLDER` 启动服务，更正的内容就会保存下来，再用 `mnistry teach FOLDER` 学习。",
  ],
  writeHand: ["Teach it your hand", "教它认识您的笔迹"],
  handTask: ["Write a {digit} in each field ({number} of {count}).", "请在每一格里写一个 {digit}（第 {number} 个，共 {count} 个）。"],
  handKeep: ["Keep and go on", "保存并继续"],
  handSkip: ["Skip this digit", "跳过这个数字"],
  handEnd: ["End", "结束"],
  handKept: ["Kept. Pictures so far: {pictures}.", "已保存。目前共 {pictures} 张图片。"],
  handDone: [
    "Done: {pictures} pictures. Now `mnistry teach` learns from their folder.",
    "完成：共 {pictures} 张图片。现在可用 `mnistry teach` 从该文件夹学习。",
  ],

  pictureLabel: ["The picture to be labelled", "待标注的图片"],
  enterKey: ["Enter", "回车"],
  accept: ["That is right", "正确"],
  markNone: ["No digits", "没有数字"],
  skip: ["Skip", "跳过"],
  back: ["Back", "返回"],
  openNext: ["Next without a label", "下一张未标注的"],
  labelled: ["Picture {number} of {count} · {done} labelled", "第 {number} 张，共 {count} 张 · 已标注 {done} 张"],
  allLabelled: ["Picture {number} of {count} · all labelled", "第 {number} 张，共 {count} 张 · 全部已标注"],
  labelledAs: ["It has the label {label}.", "已有标注：{label}。"],
  labelledNone: ["It is labelled as a picture without digits.", "已标注为没有数字。"],
  suggested: ["This is what the reader reads. Type over it where it is wrong.", "这是识别的结果，有错时直接改写。"],
  nothingSuggested: ["The reader reads no digit here.", "这里没有识别到数字。"],
  lastOne: ["This was the last picture. Some have no label yet.", "这是最后一张图片，还有一些没有标注。"],
  done: ["All pictures have a label. Now `mnistry teach` learns from the folder.", "所有图片都已标注。现在可用 `mnistry teach` 从该文件夹学习。"],
  labelHelp: [
    "Put | between lines and a space between groups. Each label is in the folder's labels.tsv as soon as the next picture comes.",
    "各行之间用 | 分隔，各组之间用空格分隔。下一张图片出现时，标注就已写入该文件夹的 labels.tsv。",
  ],
  labelPrivacy: ["Pictures and labels stay on this machine.", "图片和标注都只留在这台电脑上。"],

  stages: ["Every stage, step by step", "逐步查看识别过程"],
  stagesText: [
    "The copies that the detector looked at, its heat map, the candidates, lines and groups, and each digit.",
    "检测器查看的各级缩放图、热力图、候选位置、行与分组，以及每个数字。",
  ],
  explain: ["Show the stages", "显示各阶段"],
  explaining: ["Drawing the stages …", "正在绘制各阶段……"],
  stagesLabel: ["All stages of reading this drawing, in one picture", "识别这幅图的全部阶段"],
  open: ["Open it large", "查看大图"],
  stale: ["These are the stages of an earlier drawing.", "这是之前那幅图的各阶段。"],

  compare: ["Compare models", "比较模型"],
  compareText: ["Tick any models to see what they read in the same drawing.", "勾选模型，查看它们对同一幅图的识别结果。"],
  onlyOne: [
    "The service knows one model. Train another, for instance with `mnistry train lenet5`, and reload this page.",
    "服务目前只有一个模型。训练一个新模型（例如运行 `mnistry train lenet5`），然后刷新本页。",
  ],
  modelColumn: ["Model", "模型"],
  readsColumn: ["Reads", "识别为"],
  confidenceColumn: ["Confidence", "置信度"],
  timeColumn: ["Time", "用时"],
  accuracy: ["accuracy {accuracy}", "准确率 {accuracy}"],
  chosen: ["chosen above", "当前所选"],
  milliseconds: ["{ms} ms", "{ms} 毫秒"],
  noneShort: ["no digit", "无数字"],

  gone: ["The service does not answer. It is asked again every few seconds.", "服务没有响应，每隔几秒会自动重试。"],
  busy: ["The service is busy. It is asked again in a moment.", "服务繁忙，稍后会自动重试。"],
  full: ["It could not be kept.", "无法保存。"],
  tryNow: ["Try now", "立即重试"],
  tokenWanted: ["This service asks for a token.", "此服务需要访问令牌。"],
  tokenWrong: ["This token is not accepted.", "此令牌无效。"],
  token: ["Token", "访问令牌"],
  useToken: ["Use it", "使用"],
  tokenKept: ["It is kept until this tab is closed.", "仅保存到关闭此标签页为止。"],
  refused: ["The service cannot read this picture.", "服务无法识别这张图片。"],
  failed: ["The service cannot do this (error {status}).", "服务无法完成此操作（错误 {status}）。"],
  failedShort: ["error {status}", "错误 {status}"],
  modelGone: ["The model is no longer there.", "该模型已不存在。"],
  notPicture: ["The browser cannot open {name} as a picture. PNG, JPEG, WebP, GIF and BMP work.", "浏览器无法将 {name} 作为图片打开。请使用 PNG、JPEG、WebP、GIF 或 BMP。"],
  noFile: ["There was no picture file in what you dropped or pasted.", "拖入或粘贴的内容中没有图片文件。"],
  onlyFirst: ["Only the first picture is shown.", "只显示第一张图片。"],
  dismiss: ["Dismiss", "关闭"],

  privacy: ["What you draw goes to this service and to no one else.", "您画的内容只发送到此服务，不会发送给其他任何人。"],
  api: ["The service's interface", "服务接口文档"],
};

const values = new WeakMap();
let language = 0;

/** The language of the page, as `lang` has it. */
export const currentLanguage = () => LANGUAGES[language];

/** A text in the page's language; `{name}` in it stands for a value. */
export function word(key, replacements = {}) {
  return WORDS[key][language].replace(/\{(\w+)\}/g, (_, name) => String(replacements[name]));
}

/**
 * Gives an element its text, or one of its attributes, in the page's language and after each change of it.
 * Numbers in it follow the language too where they are given by `percent`.
 */
export function say(element, key, replacements = {}, attribute = "") {
  const name = attribute ? `data-word-${attribute}` : "data-word";
  if (key) element.setAttribute(name, key);
  else element.removeAttribute(name);
  values.set(element, { ...values.get(element), [name]: replacements });
  if (key) put(element, name);
  else if (attribute) element.removeAttribute(attribute);
  else element.textContent = "";
}

/** A probability as text: it is written when it is asked for, in the language of then. */
export function percent(share) {
  return {
    toString() {
      // What is not certain is not rounded to certainty.
      const rounded = share < 1 && share > 0.9994 ? 0.999 : share;
      const text = new Intl.NumberFormat(currentLanguage(), { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
      return (rounded === share ? "" : ">") + text.format(rounded);
    },
  };
}

/** Puts the page into a language: `en` or any that starts with `zh`. */
export function setLanguage(wanted) {
  language = wanted.toLowerCase().startsWith("zh") ? 1 : 0;
  document.documentElement.lang = currentLanguage();
  for (const element of document.querySelectorAll("*")) {
    for (const { name } of [...element.attributes]) if (name.startsWith("data-word")) put(element, name);
  }
}

function put(element, name) {
  const text = word(element.getAttribute(name), values.get(element)?.[name]);
  if (name === "data-word") {
    if (element.textContent !== text) element.textContent = text;
  } else element.setAttribute(name.slice("data-word-".length), text);
}
