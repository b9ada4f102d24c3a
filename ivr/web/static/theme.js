// Runs before anything is painted, so that a dark page never flashes white.
try {
  document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto"
} catch {
  // Storage may be forbidden: then the system's choice holds.
}
