// Files of messages that are not sent yet: kept in IndexedDB under the key of their message, and uploaded. Loaded with the first file.

const request = (asked) =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

let database;

// A database that the browser closes, or that another page wants to delete, is opened again when it is needed.
function open() {
  database ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open("sportello", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("files");
    opening.onsuccess = () => {
      const opened = opening.result;
      opened.onversionchange = () => opened.close();
      opened.onclose = opened.onversionchange = () => {
        opened.close();
        database = undefined;
      };
      resolve(opened);
    };
    opening.onerror = opening.onblocked = () => reject(opening.error);
  });
  database.catch(() => (database = undefined));
  return database;
}

async function files(mode, use) {
  const transaction = (await open()).transaction("files", mode);
  const result = await request(use(transaction.objectStore("files")));
  if (mode === "readonly") return result;
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** Keeps a file; rejects where the browser refuses. */
export const keep = (key, file) => files("readwrite", (store) => store.put(file, key));

/** Forgets a file. */
export const forget = (key) => files("readwrite", (store) => store.delete(key));

/**
 * Posts a form with the file, which is read from the database where it is not given. Resolves to the HTTP status, 0 where the network failed,
 * and -1 where the file is lost. Without progress for `stalledMs` the try is given up; the next one begins anew. `heard` gets the file's bytes that are
 * sent, and all of them.
 */
export async function upload(url, fields, key, file, stalledMs, signal, heard) {
  file ??= await files("readonly", (store) => store.get(key)).catch(() => undefined);
  if (!file) return -1;
  const form = new FormData();
  for (const [name, value] of Object.entries(fields ?? {})) form.append(name, value);
  form.append("file", file);
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest();
    let stalled;
    const progress = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => xhr.abort(), stalledMs);
    };
    xhr.upload.onprogress = ({ loaded, total }) => {
      progress();
      // The form's other fields go before the file.
      heard(Math.max(0, Math.min(file.size, loaded - total + file.size)), file.size);
    };
    xhr.onloadend = () => {
      clearTimeout(stalled);
      resolve(xhr.status);
    };
    xhr.open("POST", url);
    progress();
    if (signal.aborted) return resolve(0);
    signal.addEventListener("abort", () => xhr.abort());
    xhr.send(form);
  });
}
