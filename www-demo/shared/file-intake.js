// How files come in: the button beside the text field, pasting, and dropping them anywhere on the conversation. It hands each file on and judges
// none: what may be sent is the gateway's to say.

/** `root` is the place to drop on, `form` holds the text field, `button.attach` and `input[type=file]`. `onFile(file)` hears of each file, in order. */
export function attachFileIntake(root, form, onFile) {
  const input = form.querySelector("input[type=file]");
  form.querySelector(".attach").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    takeAll(input.files);
    // The same file may be chosen again.
    input.value = "";
  });
  form.querySelector("textarea").addEventListener("paste", (event) => {
    // Text that was copied together with a picture of itself is meant as text.
    if (event.clipboardData.files.length === 0 || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    takeAll(event.clipboardData.files);
  });
  acceptDrops(root, () => !input.disabled, takeAll);

  function takeAll(files) {
    if (input.disabled) return;
    for (const file of files) onFile(file);
  }
}

function acceptDrops(root, isOpen, takeAll) {
  // Entering a child of the root leaves the root in the browser's eyes.
  let depth = 0;
  const isFiles = (event) => event.dataTransfer.types.includes("Files");
  const mark = () => root.classList.toggle("is-drop-target", depth > 0);
  root.addEventListener("dragenter", (event) => {
    if (!isFiles(event) || !isOpen()) return;
    depth += 1;
    mark();
  });
  root.addEventListener("dragleave", (event) => {
    if (!isFiles(event) || depth === 0) return;
    depth -= 1;
    mark();
  });
  // Without this the browser would leave the page for the file.
  root.addEventListener("dragover", (event) => isFiles(event) && event.preventDefault());
  root.addEventListener("drop", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    depth = 0;
    mark();
    takeAll(event.dataTransfer.files);
  });
}
