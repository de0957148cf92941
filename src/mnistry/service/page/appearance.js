// The two things that one may set about the page itself, its language and its colours, and keeps in the browser.

import { forGood } from "./storage.js";
import { currentLanguage, say, setLanguage, word } from "./words.js";

const THEMES = ["system", "light", "dark"];
const NAMES = { system: "themeSystem", light: "themeLight", dark: "themeDark" };

/** Puts the page into its language and colours, and lets their buttons change them. */
export function chooseAppearance(onColours) {
  const language = document.getElementById("language");
  const theme = document.getElementById("theme");
  const themeName = { toString: () => word(NAMES[current]) }; // written in the language of then
  let current = THEMES.find((name) => name === forGood.get("theme")) ?? "system";

  function speak(wanted) {
    setLanguage(wanted);
    language.lang = currentLanguage() === "en" ? "zh-CN" : "en";
    language.textContent = word("otherLanguage");
  }

  function colour(wanted) {
    current = wanted;
    document.documentElement.dataset.theme = wanted;
    say(document.getElementById("theme-name"), NAMES[wanted]);
    say(theme, "themeLabel", { theme: themeName }, "aria-label");
    onColours();
  }

  language.addEventListener("click", () => {
    speak(language.lang);
    forGood.set("language", currentLanguage());
  });
  theme.addEventListener("click", () => {
    colour(THEMES[(THEMES.indexOf(current) + 1) % THEMES.length]);
    forGood.set("theme", current);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onColours);
  speak(forGood.get("language") ?? navigator.language);
  colour(current);
}
