// The checks of .ci/view-book: view-book.cjs BOOK FOLDER-FOR-PICTURES [PAGE…]
'use strict'
const { mkdirSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const puppeteer = require('puppeteer-core')

const [book, folder, ...wanted] = process.argv.slice(2)
const VIEWS = [
  { name: 'light', width: 1280, scheme: 'light' },
  { name: 'dark', width: 1280, scheme: 'dark' },
  { name: 'narrow', width: 400, scheme: 'light' },
]
// Of a long page, the picture has the beginning.
const TALLEST = 5000

let findings = 0
function check(page, holds, message) {
  if (holds) return
  findings += 1
  console.error(`${page}: ${message}`)
}

async function view(browser, name, { name: how, width, scheme }) {
  const page = await browser.newPage()
  page.on('pageerror', error => check(name, false, `script: ${error.message}`))
  page.on('requestfailed', request => check(name, false, `request: ${request.url()}`))
  await page.setViewport({ width, height: 900 })
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
  await page.goto(pathToFileURL(path.resolve(book, name)).href, { waitUntil: 'load' })
  const { content, screen, widest, dark } = await page.evaluate(() => {
    const screen = document.documentElement.clientWidth
    // mdBook lets the text scroll sideways within the page.
    const text = document.querySelector('.content')
    const inside = it => it.closest('pre, .table-wrapper')
    const wide = [...document.querySelectorAll('main *')].find(it =>
      it.getBoundingClientRect().right > screen + 1 && !inside(it.parentElement))
    return {
      content: Math.max(document.documentElement.scrollWidth, text.scrollWidth + screen - text.clientWidth),
      screen,
      widest: wide?.outerHTML.slice(0, 120),
      dark: document.documentElement.className,
    }
  })
  check(name, content <= screen + 1 && !widest, `${how}: ${content} pixels on ${screen}: ${widest}`)
  check(name, dark.includes('navy') === (scheme === 'dark'), `${how}: the theme is ${dark}`)
  if (wanted.length === 0 || wanted.includes(name.replace(/\.html$/, ''))) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight)
    const file = `${name.replace(/\.html$/, '').replaceAll('/', '-')}-${how}.png`
    await page.screenshot({
      path: path.join(folder, file),
      clip: { x: 0, y: 0, width, height: Math.min(height, TALLEST) },
      captureBeyondViewport: true,
    })
  }
  await page.close()
}

async function main() {
  mkdirSync(folder, { recursive: true })
  const pages = readdirSync(book, { recursive: true })
    .filter(it => it.endsWith('.html') && !['print.html', 'toc.html', '404.html'].includes(it))
  const browser = await puppeteer.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
  for (const page of pages) {
    for (const how of VIEWS) await view(browser, page, how)
  }
  await browser.close()
  check('the book', pages.length > 50, `only ${pages.length} pages`)
  console.log(`${pages.length} pages, ${findings} findings; pictures in ${folder}`)
  process.exitCode = findings > 0 ? 1 : 0
}
main().catch(error => {
  console.error(error)
  process.exit(2)
})
