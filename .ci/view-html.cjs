// The checks of .ci/view-html: view-html.cjs FOLDER-FOR-SCREENSHOTS FILE…
'use strict'
const { execFileSync } = require('node:child_process')
const { existsSync, statSync } = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const puppeteer = require('puppeteer-core')
const axe = require('axe-core').source

const [folder, ...files] = process.argv.slice(2)
const WIDE = 1280
const NARROW = 360
// The parts of the pictures that are looked at: of long pages, the beginning.
const TALLEST = 4000
const MOST_BYTES = 5 << 20
const MOST_TABS = 3000

let findings = 0
// What axe cannot decide: the colour of text in a plot, or that "#" is a link's text.
const undecided = new Map()
function check(file, holds, message) {
  if (holds) return
  findings += 1
  console.error(`${file}: ${message}`)
}

/** Opens a file and notes what the browser complains about. */
async function open(browser, file, { width, scheme = 'light', javascript = true }) {
  const page = await browser.newPage()
  const address = pathToFileURL(path.resolve(file)).href
  page.on('console', message => {
    check(file, !['error', 'warn'].includes(message.type()), `console: ${message.text()}`)
  })
  page.on('pageerror', error => check(file, false, `script: ${error.message}`))
  page.on('request', request => {
    check(file, request.url().split('#')[0] === address, `request: ${request.url().slice(0, 200)}`)
  })
  page.on('dialog', dialog => {
    check(file, false, `dialog: ${dialog.message()}`)
    dialog.dismiss()
  })
  await page.setViewport({ width, height: 900 })
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
  await page.setJavaScriptEnabled(javascript)
  await page.goto(address, { waitUntil: 'load' })
  return page
}

const openAll = page => page.evaluate(() => {
  for (const details of document.querySelectorAll('details')) details.open = true
})

async function picture(page, file, name) {
  const height = await page.evaluate(() => document.documentElement.scrollHeight)
  const { width } = page.viewport()
  const base = path.basename(file, '.html')
  await page.screenshot({
    path: path.join(folder, `${base}-${name}.png`),
    clip: { x: 0, y: 0, width, height: Math.min(height, TALLEST) },
    captureBeyondViewport: true,
  })
}

/** The rules of A and AA, on a page with everything open. */
async function accessible(page, file, how) {
  await page.evaluate(axe)
  await rules(page, file, how, ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
  // What is scrolled out of sight has no colour that axe could see.
  await page.evaluate(() => {
    for (const it of document.querySelectorAll('.scroll')) {
      it.style.overflow = 'visible'
      it.style.maxHeight = 'none'
      for (const th of it.querySelectorAll('th')) th.style.position = 'static'
    }
  })
  await rules(page, file, `${how}, nothing scrolled`, ['color-contrast'])
}

async function rules(page, file, how, runOnly) {
  const options = { runOnly, resultTypes: ['violations', 'incomplete'] }
  const run = options => globalThis.axe.run(document, options)
  const { violations, incomplete } = await page.evaluate(run, options)
  for (const { id, help, nodes } of violations) {
    const { target, failureSummary } = nodes[0]
    check(file, false, `axe, ${how}: ${id}: ${help}: ${nodes.length} nodes, first ${target}: ${failureSummary}`)
  }
  for (const { id, nodes } of incomplete) {
    if (runOnly.length > 1 && id === 'color-contrast') continue
    undecided.set(id, Math.max(undecided.get(id) ?? 0, nodes.length))
  }
}

async function overflow(page, file, how) {
  const [content, screen, widest] = await page.evaluate(() => {
    const screen = document.documentElement.clientWidth
    const wide = [...document.body.querySelectorAll('*')].find(it =>
      it.getBoundingClientRect().right > screen + 1 && !it.closest('.scroll') && !it.closest('.skip'))
    return [document.documentElement.scrollWidth, screen, wide?.outerHTML.slice(0, 120)]
  })
  check(file, content <= screen, `overflow, ${how}: ${content} pixels on ${screen}: ${widest}`)
}

/** What must hold of the elements, with or without JavaScript. */
async function structure(page, file) {
  const found = await page.evaluate(() => {
    const all = selector => [...document.querySelectorAll(selector)]
    const ids = all('[id]').map(it => it.id)
    const unnamed = table => !table.caption?.textContent.trim()
      || [...table.querySelectorAll('th')].some(th => !th.scope)
    return {
      twice: ids.filter((id, index) => ids.indexOf(id) !== index && ids.length < 20000),
      lost: all('a[href^="#"]').map(it => it.getAttribute('href').slice(1))
        .filter(id => !document.getElementById(id)),
      foreign: all('img, iframe, object, embed, link, base, video, [onclick], [onerror], [style]').length,
      scripts: document.scripts.length,
      tables: all('table').filter(unnamed).length,
      signless: all('.badge, .matrix td:not(.promised, .routine td)')
        .filter(it => !/^\S [a-z]/.test(it.textContent.trim())).map(it => it.outerHTML)[0],
    }
  })
  check(file, found.twice.length === 0, `ids that occur twice: ${found.twice.slice(0, 3)}`)
  check(file, found.lost.length === 0, `links to nothing: ${found.lost.slice(0, 3)}`)
  check(file, found.foreign === 0, `${found.foreign} elements that load or run something`)
  check(file, found.scripts === 1, `${found.scripts} scripts`)
  check(file, found.tables === 0, `${found.tables} tables without a caption or a scope`)
  check(file, !found.signless, `a verdict without a word or a sign: ${found.signless}`)
}

/** The numbers of rows of the matrix that can be seen, and of all. */
const rows = page => page.evaluate(() => {
  const all = [...document.querySelectorAll('.matrix tr.clause')]
  return [all.filter(it => it.getClientRects().length > 0).length, all.length]
})

async function filters(page, file) {
  const [before, all] = await rows(page)
  if (!await page.$('#matrix')) return
  check(file, before === all && all > 0, `${before} of ${all} clauses are there at first`)
  const wanted = await page.evaluate(() => {
    const matching = [...document.querySelectorAll('.matrix tr.clause')]
      .filter(row => [...row.cells].some(it => it.className.split(' ').includes('pass')))
    return matching.length
  })
  await page.select('#filter-state', 'pass')
  check(file, (await rows(page))[0] === wanted, `the filter shows ${(await rows(page))[0]} clauses, and ${wanted} have a pass`)
  await page.select('#filter-state', '')
  await page.focus('#filter-text')
  await page.keyboard.type('no clause has this')
  check(file, (await rows(page))[0] === 0, 'the filter by text shows every clause')
  const count = await page.$eval('#filter-count', it => it.textContent)
  check(file, count === `0 of ${all} clauses`, `the filter says: ${count}`)
  await page.keyboard.press('Escape')
  check(file, (await rows(page))[0] === all, 'Escape does not clear the filter')
}

/** Whether Tab reaches the filter and the deviations, and shows where it is. */
async function keyboard(page, file) {
  const has = what => page.$$eval(what, all => all.filter(it => it.checkVisibility()).length > 0)
  const reached = {
    filter: !await page.$('#filter-text'),
    article: !await has('article'),
    command: !await has('article button'),
  }
  await page.evaluate(() => { document.activeElement?.blur(); scrollTo(0, 0) })
  for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
    await page.keyboard.press('Tab')
    const at = await page.evaluate(() => {
      const it = document.activeElement
      const style = getComputedStyle(it)
      return {
        end: it === document.body,
        seen: style.outlineStyle !== 'none' || it.matches('.skip'),
        what: it.outerHTML.slice(0, 100),
        filter: it.id === 'filter-text',
        article: Boolean(it.closest('article')),
        command: it.matches('article button'),
      }
    })
    if (at.end) break
    check(file, at.seen, `no outline at ${at.what}`)
    for (const what of Object.keys(reached)) reached[what] ||= at[what]
    if (Object.values(reached).every(Boolean)) break
  }
  for (const [what, is] of Object.entries(reached)) check(file, is, `Tab does not reach the ${what}`)
}

/** Whether everything can be read without JavaScript. */
async function withoutJavascript(browser, file) {
  const page = await open(browser, file, { width: WIDE, javascript: false })
  const [seen, all] = await rows(page)
  // Pages of a site other than the first have no matrix.
  const hasMatrix = Boolean(await page.$('#matrix'))
  check(file, seen === all && (all > 0) === hasMatrix, `without JavaScript, ${seen} of ${all} clauses are there`)
  const hidden = await page.evaluate(() => [...document.querySelectorAll('main *')]
    .filter(it => it.getClientRects().length === 0 && !it.closest('details:not([open])')
      && !it.closest('form.filter') && it.textContent.trim()).map(it => it.outerHTML.slice(0, 100))[0])
  check(file, !hidden, `without JavaScript, this is hidden: ${hidden}`)
  const forms = await page.$$eval('form.filter', all => all.filter(it => it.getClientRects().length > 0).length)
  check(file, forms === 0, 'without JavaScript, the filter is shown and does nothing')
  const summary = await page.$('details:not([open]) > summary')
  if (summary) {
    await summary.focus()
    await page.keyboard.press('Enter')
    check(file, await summary.evaluate(it => it.parentElement.open), 'Enter does not open what is closed')
  }
  await page.close()
}

/** A link to a deviation opens what it is in. */
async function links(browser, file) {
  const page = await open(browser, file, { width: WIDE })
  const closed = await page.evaluate(() => {
    const inside = [...document.querySelectorAll('details:not([open]) [id]')].map(it => it.id)
    return inside[0]
  })
  if (closed) {
    await page.evaluate(id => { location.hash = id }, closed)
    await new Promise(resolve => setTimeout(resolve, 200))
    const seen = await page.evaluate(id => document.getElementById(id).getClientRects().length > 0, closed)
    check(file, seen, `a link to #${closed} shows nothing`)
  }
  await page.close()
}

async function print(browser, file) {
  const page = await open(browser, file, { width: WIDE, javascript: false })
  const base = path.join(folder, path.basename(file, '.html'))
  await page.emulateMediaType('print')
  const hidden = await page.evaluate(() => [...document.querySelectorAll('details:not([open], .entries) > :not(summary)')]
    .filter(it => !it.checkVisibility({ contentVisibilityAuto: true })).length)
  check(file, hidden === 0, `${hidden} closed parts are not printed`)
  await page.pdf({ path: `${base}.pdf`, format: 'A4', printBackground: true, timeout: 120000 })
  await page.close()
  execFileSync('pdftoppm', ['-r', '60', '-png', '-l', '4', `${base}.pdf`, `${base}-print`])
}

async function view(browser, file) {
  const started = Date.now()
  check(file, statSync(file).size < MOST_BYTES, `${statSync(file).size} bytes`)
  for (const scheme of ['light', 'dark']) {
    for (const [name, width] of [['wide', WIDE], ['narrow', NARROW]]) {
      const how = `${scheme} ${name}`
      const page = await open(browser, file, { width, scheme })
      await overflow(page, file, how)
      await picture(page, file, `${scheme}-${name}`)
      if (scheme === 'light' && name === 'wide') {
        await keyboard(page, file)
        await filters(page, file)
        await structure(page, file)
      }
      await openAll(page)
      await overflow(page, file, `${how}, all open`)
      await accessible(page, file, how)
      const matrix = await page.$('#matrix')
      await matrix?.scrollIntoView()
      await matrix?.screenshot({ path: path.join(folder, `${path.basename(file, '.html')}-${scheme}-${name}-matrix.png`) })
      await page.close()
    }
  }
  await withoutJavascript(browser, file)
  await links(browser, file)
  await print(browser, file)
  const seconds = ((Date.now() - started) / 1000).toFixed(0)
  console.log(`${file}: ${statSync(file).size} bytes, ${seconds} s`)
}

async function main() {
  for (const file of files) {
    if (!existsSync(file)) throw new Error(`${file} does not exist`)
  }
  const browser = await puppeteer.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox'],
    protocolTimeout: 300000,
  })
  for (const file of files) await view(browser, file)
  await browser.close()
  const rules = [...undecided].map(([id, count]) => `${id} (${count})`)
  console.log(`axe cannot decide, elements of a page at most: ${rules.join(', ') || 'nothing'}`)
  console.log(`${findings} findings; pictures in ${folder}`)
  process.exitCode = findings > 0 ? 1 : 0
}
main().catch(error => {
  console.error(error)
  process.exit(2)
})
