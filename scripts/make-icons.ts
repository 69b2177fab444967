/** Draws the icons of the installed page from `public/icon.svg` into `public/icons`: `tsx scripts/make-icons.ts`. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from '@playwright/test'
import { findChromium } from './find-chromium'

const PUBLIC = join(import.meta.dirname, '../public')

interface Icon {
  readonly file: string
  readonly sizePx: number
  /** Of the side, how much the drawing takes. What systems cut from a maskable icon is the outer tenth. */
  readonly drawing: number
  readonly background: string
  /** Of the side: round corners, where the system cuts none. */
  readonly corner: number
  readonly fish: string
  readonly eye: string
}

const PAPER = '#fbfaf7'
const TEAL = '#0b5c74'
const ON_TEAL = { background: TEAL, corner: 0, fish: PAPER, eye: TEAL }
const ROUNDED = { ...ON_TEAL, corner: 0.22 }

const ICONS: readonly Icon[] = [
  { file: 'icon-192', sizePx: 192, drawing: 0.76, ...ROUNDED },
  { file: 'icon-512', sizePx: 512, drawing: 0.76, ...ROUNDED },
  { file: 'maskable-512', sizePx: 512, drawing: 0.58, ...ON_TEAL },
  { file: 'apple-180', sizePx: 180, drawing: 0.68, ...ON_TEAL },
  // Systems colour it: only what is opaque counts.
  {
    file: 'monochrome-512',
    sizePx: 512,
    drawing: 0.9,
    background: 'none',
    corner: 0,
    fish: '#000',
    eye: '#000',
  },
]

/** The drawing of the SVG, without the colours it has as a favicon. */
function drawingOf(svg: string): { fish: string; eye: string } {
  const fish = /<path d="([^"]+)"/.exec(svg)?.[1]
  const eye = /<circle ([^>]+?)\s*\/>/.exec(svg)?.[1]
  if (fish === undefined || eye === undefined) throw new Error('public/icon.svg has no path and circle')
  return { fish, eye }
}

function toPage(icon: Icon, drawing: { fish: string; eye: string }): string {
  const side = icon.sizePx * icon.drawing
  const offset = (icon.sizePx - side) / 2
  // A hole, where there is one colour only.
  const isFlat = icon.fish === icon.eye
  const mask = `<mask id="hole"><rect width="32" height="32" fill="#fff"/><circle ${drawing.eye} fill="#000"/></mask>`
  const eye = isFlat ? '' : `<circle ${drawing.eye} fill="${icon.eye}"/>`
  const ground = `width:${icon.sizePx}px;height:${icon.sizePx}px;border-radius:${icon.corner * icon.sizePx}px`
  return `<body style="margin:0"><div style="background:${icon.background};${ground}"></div>
    <svg viewBox="0 0 32 32" width="${side}" height="${side}" style="position:absolute;left:${offset}px;top:${offset}px">
      ${isFlat ? mask : ''}<path d="${drawing.fish}" fill="${icon.fish}" ${isFlat ? 'mask="url(#hole)"' : ''}/>${eye}
    </svg></body>`
}

const drawing = drawingOf(readFileSync(join(PUBLIC, 'icon.svg'), 'utf8'))
mkdirSync(join(PUBLIC, 'icons'), { recursive: true })
const { executablePath, args } = findChromium()
const browser = await chromium.launch({ executablePath, args: [...args] })
try {
  for (const icon of ICONS) {
    const page = await browser.newPage({ viewport: { width: icon.sizePx, height: icon.sizePx } })
    await page.setContent(toPage(icon, drawing))
    await page.screenshot({ path: join(PUBLIC, 'icons', `${icon.file}.png`), omitBackground: true })
    await page.close()
  }
} finally {
  await browser.close()
}
