// What all pages share: keys, menus, dialogs, notices, clocks, the theme, and saying when the connection is lost.

const root = document.documentElement
const typing = (element) => element?.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]")
const shown = (element) => element.checkVisibility()
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content
const make = (tag, text, ...more) => {
  const element = document.createElement(tag)
  element.textContent = text
  element.append(...more)
  return element
}

// Theme

const THEMES = ["auto", "light", "dark"]
const showTheme = () => {
  for (const button of document.querySelectorAll("[data-theme-switch]")) button.textContent = `Theme: ${root.dataset.theme}`
}
const nextTheme = () => {
  const theme = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length]
  root.dataset.theme = theme
  try {
    localStorage.setItem("theme", theme)
  } catch {
    // Where storage is forbidden the choice lasts for this page.
  }
  showTheme()
}
showTheme()

// Clicks: menus, dialogs, theme

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-opens], [data-closes], [data-theme-switch], [data-reload], [data-prints]")
  if (target?.dataset.opens) {
    if (target.dataset.opens === "keys") listKeys()
    document.getElementById(target.dataset.opens)?.showModal()
  }
  if (target?.matches("[data-closes]")) target.closest("dialog")?.close()
  if (target?.matches("[data-theme-switch]")) nextTheme()
  if (target?.matches("[data-reload]")) location.reload()
  if (target?.matches("[data-prints]")) print()
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!menu.contains(event.target) || target?.dataset.opens) menu.open = false
  }
})

// Questions before what cannot be undone

const asking = document.getElementById("ask")
document.addEventListener("submit", (event) => {
  const form = event.target
  if (!form.dataset.ask || form.dataset.sure) return
  event.preventDefault()
  event.stopImmediatePropagation()
  document.getElementById("ask-text").textContent = form.dataset.ask
  asking.returnValue = ""
  asking.onclose = () => {
    if (asking.returnValue !== "yes") return
    form.dataset.sure = "yes"
    form.requestSubmit(event.submitter)
    delete form.dataset.sure
  }
  asking.showModal()
}, true)

// Keys

let sequence = ""
let forget = 0

const keyed = (keys) => {
  const scope = document.querySelector("dialog[open]") ?? document
  return [...scope.querySelectorAll(`[data-key="${CSS.escape(keys)}"]`)].find((each) => each.dataset.key === "?" || shown(each))
}
const isBegun = (keys) => [...document.querySelectorAll("[data-key]")].some((each) => each.dataset.key.startsWith(`${keys} `))

const use = (element) => {
  if (typing(element)) element.focus()
  else element.click()
}

const move = (step) => {
  const items = [...document.querySelectorAll("[data-list] [data-item]")].filter(shown)
  if (!items.length) return
  let at = items.indexOf(document.activeElement)
  if (at < 0) {
    at = items.findIndex((item) => item.getAttribute("aria-current") === "true")
    if (at < 0) at = step > 0 ? -1 : 0
  }
  const item = items[Math.min(Math.max(at + step, 0), items.length - 1)]
  item.focus()
  item.scrollIntoView({ block: "nearest" })
}

const escape = () => {
  const menu = document.querySelector("[data-menu][open]")
  if (menu) {
    menu.open = false
    menu.querySelector("summary").focus()
  } else if (typing(document.activeElement)) {
    document.activeElement.blur()
  } else {
    const back = [...document.querySelectorAll("[data-back]")].find(shown)
    back?.click()
  }
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return
  if (event.key === "Escape") {
    if (!document.querySelector("dialog[open]")) escape()
    return
  }
  if (typing(event.target) || event.key.length > 1 || event.key === " ") return
  const keys = sequence ? `${sequence} ${event.key}` : event.key
  sequence = ""
  clearTimeout(forget)
  const open = document.querySelector("dialog[open]")
  const element = keyed(keys)
  if (element) use(element)
  else if (open) return
  else if (isBegun(keys)) {
    sequence = keys
    forget = setTimeout(() => { sequence = "" }, 1500)
  } else if (keys === "j") move(1)
  else if (keys === "k") move(-1)
  else if (keys === "/") document.querySelector("[data-search]")?.focus()
  else return
  event.preventDefault()
})

const listKeys = () => {
  const rows = [["j k", "Down and up in a list"], ["enter", "Open"], ["esc", "Close, or back"]]
  if (document.querySelector("[data-search]")) rows.push(["/", "Search"])
  for (const each of document.querySelectorAll("[data-key][data-key-label]")) {
    const row = [each.dataset.key, each.dataset.keyLabel]
    if (row[0] !== "?" && !rows.some((other) => other[0] === row[0])) rows.push(row)
  }
  const list = document.querySelector("[data-keys]")
  list.replaceChildren()
  for (const [keys, label] of rows) {
    const term = make("dt", "")
    for (const key of keys.split(" ")) term.append(make("kbd", key), " ")
    list.append(term, make("dd", label))
  }
}

// Notices

const notices = document.getElementById("notices")
const STAYS = 6000

const expire = (notice, after) => {
  let timer = setTimeout(() => notice.remove(), after)
  const wait = () => clearTimeout(timer)
  const again = () => { timer = setTimeout(() => notice.remove(), after) }
  notice.addEventListener("pointerenter", wait)
  notice.addEventListener("focusin", wait)
  notice.addEventListener("pointerleave", again)
  notice.addEventListener("focusout", again)
}

const notify = (text, undo) => {
  const notice = make("p", "", make("span", text))
  notice.className = "notice"
  if (undo) {
    const button = make("button", "Undo")
    button.addEventListener("click", () => {
      notice.remove()
      htmx.ajax("POST", undo, { swap: "none" })
    })
    notice.append(button)
  }
  notices.append(notice)
  expire(notice, undo ? STAYS * 2 : STAYS)
}
for (const notice of notices.children) expire(notice, STAYS)

document.body.addEventListener("notice", (event) => notify(event.detail.text, event.detail.undo))
document.body.addEventListener("announce", (event) => {
  document.getElementById("announce").textContent = event.detail.value ?? event.detail.text
})

// htmx: the token with every request, and faults in words

document.body.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = meta("csrf-token")
})
// What refreshes by itself is not worth a notice each time it cannot: the banner says it.
const quiet = (event) => event.detail.elt.matches("[data-quiet]")

document.body.addEventListener("htmx:beforeSwap", (event) => {
  // A page that says itself what went wrong is shown; a bare sentence becomes a notice.
  const { xhr } = event.detail
  if (![409, 422].includes(xhr.status) || !(xhr.getResponseHeader("Content-Type") ?? "").startsWith("text/html")) return
  event.detail.shouldSwap = true
  event.detail.isError = false
})
document.body.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail
  if (xhr.getResponseHeader("HX-Redirect") || quiet(event)) return
  const words = (xhr.getResponseHeader("Content-Type") ?? "").startsWith("text/plain") && xhr.responseText
  notify(words || "That did not work. Try again in a moment.")
})
document.body.addEventListener("htmx:sendError", (event) => {
  if (!quiet(event)) notify("The server could not be reached. Nothing was changed; try again.")
})

// A player says in words why there is nothing to hear

document.addEventListener("error", async (event) => {
  if (!event.target.matches?.(".player audio")) return
  const player = event.target.closest(".player")
  let words = "The server could not be reached. Try again in a moment."
  try {
    const answer = await fetch(event.target.src, { headers: { "HX-Request": "true" } })
    words = answer.ok ? "This browser cannot play the message. Reload the page and try again." : await answer.text()
  } catch {
    // The words above say it.
  }
  player.nextElementSibling?.matches("[data-silent]") && player.nextElementSibling.remove()
  const problem = make("p", words)
  problem.className = "problem"
  problem.dataset.silent = ""
  problem.setAttribute("role", "alert")
  player.after(problem)
}, true)

// Clocks: what lasts, by the server's time

const ahead = Number(meta("now")) - Date.now() / 1000
const tick = () => {
  const now = Date.now() / 1000 + ahead
  for (const each of document.querySelectorAll("time[data-since]")) {
    const seconds = Math.max(Math.floor(now - Number(each.dataset.since)), 0)
    const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    const two = (number) => String(number).padStart(2, "0")
    const text = hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
    if (each.textContent !== text) each.textContent = text
  }
}
setInterval(tick, 1000)
document.body.addEventListener("htmx:load", tick)
tick()

// The connection: silence is said, never hidden

const stale = document.getElementById("stale")
let lost = 0
let latest = new Date()

for (const name of ["htmx:sseOpen", "htmx:sseMessage"]) {
  document.body.addEventListener(name, () => {
    const wasLost = !stale.hidden
    clearTimeout(lost)
    lost = 0
    latest = new Date()
    stale.hidden = true
    if (wasLost) htmx.trigger(document.body, "reconnected")
  })
}
document.body.addEventListener("htmx:sseError", () => {
  if (lost || !stale.hidden) return
  const since = latest
  lost = setTimeout(() => {
    stale.querySelector("[data-stale-since]").textContent = since.toLocaleTimeString("en", {
      hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: meta("zone"),
    })
    stale.hidden = false
  }, 2000)
})
