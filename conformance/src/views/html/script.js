// Adds what needs a script: the filter of the matrix, buttons that copy, opening what is closed
// for a link and for the printer. The page has everything without it.
'use strict'

const form = document.querySelector('form.filter')
const text = document.getElementById('filter-text')
const state = document.getElementById('filter-state')
const count = document.getElementById('filter-count')
const groups = [...document.querySelectorAll('table.matrix tbody')].map(body => {
  const rows = [...body.querySelectorAll('tr.clause')].map(row => {
    const cells = [...row.cells]
    const verdicts = cells.slice(1, -1).flatMap(cell =>
      cell.textContent.split(',').map(word => word.replace(/^\S (?=.)/, '').trim()))
    // Without the level, which is the last word of the heading.
    const name = cells[0].textContent.replace(/ \w+$/, '')
    const words = `${name} ${cells.at(-1).textContent}`.toLowerCase()
    return { row, words, verdicts: new Set(verdicts) }
  })
  return { body, rows }
})

function filter() {
  const wanted = text.value.trim().toLowerCase()
  let all = 0
  let shown = 0
  for (const { body, rows } of groups) {
    let any = false
    for (const { row, words, verdicts } of rows) {
      const matches = words.includes(wanted) && (!state.value || verdicts.has(state.value))
      row.hidden = !matches
      any ||= matches
      all += 1
      shown += matches
    }
    body.hidden = !any
  }
  count.textContent = `${shown} of ${all} clauses`
}

function clearFilter() {
  text.value = ''
  state.value = ''
  filter()
}

if (form) {
  form.hidden = false
  form.addEventListener('submit', event => event.preventDefault())
  text.addEventListener('input', filter)
  state.addEventListener('change', filter)
  text.addEventListener('keydown', event => {
    if (event.key === 'Escape') clearFilter()
  })
  filter()
}

// A link may lead into something closed, or to a row that the filter hides.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (!target) return
  if (target.closest('[hidden]')) clearFilter()
  const inside = target.querySelector(':scope > details')
  for (let at = inside ?? target; at; at = at.parentElement) {
    if (at.localName === 'details') at.open = true
  }
  target.scrollIntoView()
}
addEventListener('hashchange', reveal)
if (location.hash) reveal()

let closed = []
addEventListener('beforeprint', () => {
  closed = [...document.querySelectorAll('details:not([open])')]
  for (const details of closed) details.open = true
})
addEventListener('afterprint', () => {
  for (const details of closed) details.open = false
})

for (const command of document.querySelectorAll('code.command')) {
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = 'Copy'
  button.setAttribute('aria-label', `Copy: ${command.textContent}`)
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(command.textContent)
      button.textContent = 'Copied'
    } catch {
      getSelection().selectAllChildren(command)
      button.textContent = 'Selected'
    }
    setTimeout(() => { button.textContent = 'Copy' }, 2000)
  })
  command.after(' ', button)
}
