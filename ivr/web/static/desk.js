// The desk: marks the open row, refreshes while there are no live updates, and keeps what was typed when a session ends.

const body = document.body
const by = (id) => document.getElementById(id)
const SLOW = 15000

// Which row is open, and how many wait

const mark = () => {
  const open = by("task")?.dataset.task
  by("main").classList.toggle("open", Boolean(open))
  for (const row of document.querySelectorAll("#list [data-item]")) {
    row.setAttribute("aria-current", String(row.dataset.task === open))
  }
  const waiting = Number(by("list").querySelector("[data-waiting]")?.dataset.waiting)
  document.title = `${waiting ? `(${waiting}) ` : ""}${by("task")?.getAttribute("aria-label") ?? "Desk"} · ivr`
}
body.addEventListener("htmx:afterSettle", mark)
mark()

// A form without an answer says so at its field

body.addEventListener("htmx:validation:halted", (event) => event.target.closest("form")?.reportValidity())

// What was opened beside the packet is closed again; what it changed is drawn anew

document.addEventListener("click", (event) => {
  const beside = event.target.closest("[data-back]")?.closest(".beside")
  if (!beside) return
  event.preventDefault()
  beside.replaceChildren()
  document.querySelector(`[hx-target="#${beside.id}"]`)?.focus()
})
body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.matches(".beside")) event.target.querySelector("select, textarea, input:not([type=hidden])")?.focus()
})
body.addEventListener("changed", () => htmx.ajax("GET", location.pathname, { source: "#task", target: "#task", swap: "outerHTML" }))

// Without live updates: every 15 seconds, and it says so

let slowly = 0
const refresh = () => htmx.trigger(body, "refresh")
const goSlowly = () => {
  if (!slowly) slowly = setInterval(refresh, SLOW)
}

body.addEventListener("htmx:sseError", () => {
  if (slowly) return
  goSlowly()
  setTimeout(() => { if (slowly) refresh() }, 2500)
})
body.addEventListener("htmx:sseOpen", () => {
  clearInterval(slowly)
  slowly = 0
  by("paused").hidden = true
})
body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt !== by("list") || !slowly) return
  const came = event.detail.successful
  by("paused").hidden = !came
  by("stale").hidden = came || !by("signed-out").hidden
})

// A session that has ended: what was typed stays, and is kept once somebody has signed in elsewhere

body.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.status !== 401) return
  event.preventDefault()
  by("signed-out").hidden = false
  goSlowly()
})
window.addEventListener("focus", () => {
  if (!by("signed-out").hidden) refresh()
})
body.addEventListener("htmx:afterSettle", (event) => {
  const token = event.target.querySelector?.("[data-token]")?.dataset.token
  if (!token) return
  document.querySelector("meta[name=csrf-token]").content = token
  for (const input of document.querySelectorAll("input[name=csrf_token]")) input.value = token
  if (by("signed-out").hidden) return
  by("signed-out").hidden = true
  htmx.trigger(body, "reconnected")
})
