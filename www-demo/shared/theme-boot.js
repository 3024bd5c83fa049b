// Puts the remembered colours on the page before its first paint. A classic script in the head, because a module would run after it and
// the page would flash. It reads one key and stays silent where the browser refuses storage.
try {
  const theme = localStorage.getItem("sportello-demo.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Refused storage: the system's preference decides.
}
