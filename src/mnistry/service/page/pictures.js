// Pictures from elsewhere: chosen, dropped, pasted, or taken with the camera.

const part = (id) => document.getElementById(id);

/**
 * Lets one bring pictures.
 *
 * `take(file)` is given each; `tell(word, values)` what there is to say about it.
 */
export function bringPictures(take, tell) {
  function takeFirst(files) {
    const pictures = [...files].filter((file) => file.type.startsWith("image/") || !file.type);
    if (!pictures.length) tell(files.length ? "notPicture" : "noFile", { name: files[0]?.name });
    else take(pictures[0], pictures.length > 1 ? "onlyFirst" : null);
  }

  for (const [button, input] of [["choose-picture", "picture-file"], ["camera", "camera-file"]]) {
    part(input).addEventListener("change", ({ target }) => {
      if (target.files.length) takeFirst(target.files);
      target.value = ""; // so that the same file can be chosen again
    });
    part(button).addEventListener("click", () => {
      if (button === "camera" && !phone()) openCamera();
      else part(input).click();
    });
  }

  document.addEventListener("paste", (event) => {
    if (event.target.matches("input[type=password]")) return;
    event.preventDefault();
    takeFirst(event.clipboardData.files);
  });

  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragging");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    takeFirst(event.dataTransfer.files);
  });

  // A phone has a camera program of its own, which focuses better than a page can and needs no HTTPS.
  part("camera").hidden = !phone() && !navigator.mediaDevices?.getUserMedia;
  const [view, video] = [part("camera-view"), part("video")];

  async function openCamera() {
    try {
      const wish = { facingMode: "environment", width: { ideal: 1920 } };
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: wish });
    } catch (error) {
      tell("noCamera", { reason: error.message });
      return;
    }
    view.showModal();
  }

  part("take").addEventListener("click", async () => {
    const shot = await createImageBitmap(video);
    view.close();
    take(shot, null);
  });
  part("cancel").addEventListener("click", () => view.close());
  view.addEventListener("close", () => {
    for (const track of video.srcObject.getTracks()) track.stop();
    video.srcObject = null;
  });
}

const phone = () => matchMedia("(pointer: coarse)").matches;
