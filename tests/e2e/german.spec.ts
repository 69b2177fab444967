/** A German visitor: every dialog is opened, and nothing of the English tables is to be seen or heard. */
import type { Page } from '@playwright/test'
import { de } from '../../src/widget/strings/de'
import { de as deDetails } from '../../src/widget/strings/details-de'
import { en as enDetails } from '../../src/widget/strings/details-en'
import { en } from '../../src/widget/strings/en'
import { de as deEscalation } from '../../src/widget/strings/escalation-de'
import { en as enEscalation } from '../../src/widget/strings/escalation-en'
import { KEY, lastTurn, settled, test } from './escalation-page'
import { expect } from './site'

test.use({ locale: 'de-DE', viewport: { width: 1200, height: 900 } })

/** All plain strings of tables. */
function stringsOf(...tables: readonly object[]): string[] {
  return tables.flatMap((table) =>
    Object.values(table).flatMap((value: unknown) =>
      typeof value === 'string'
        ? [value]
        : typeof value === 'object' && value !== null
          ? stringsOf(value)
          : [],
    ),
  )
}

const GERMAN = new Set(stringsOf(de, deDetails, deEscalation))
/** Strings that are equal in both languages aside. */
const ENGLISH = new Set(stringsOf(en, enDetails, enEscalation).filter((text) => !GERMAN.has(text)))

/** Each text that is seen, each name and hint, in all shadows. */
function seen(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = []
    const walk = (root: Document | ShadowRoot): void => {
      for (const element of root.querySelectorAll<HTMLElement>('body, body *, :host > *, *')) {
        if (element.shadowRoot !== null) walk(element.shadowRoot)
        if (!element.checkVisibility() || element.matches('script, style')) continue
        for (const name of ['aria-label', 'title', 'placeholder'])
          found.push(element.getAttribute(name) ?? '')
        for (const node of element.childNodes) {
          if (node.nodeType === Node.TEXT_NODE) found.push(node.textContent ?? '')
        }
      }
    }
    walk(document)
    return found.map((text) => text.replaceAll(/\s+/g, ' ').trim()).filter((text) => text !== '')
  })
}

/** @param among is seen: proof that what is looked for here would be found */
async function expectGerman(page: Page, among: string): Promise<void> {
  await expect.poll(() => seen(page)).toContain(among)
  const texts = await seen(page)
  expect(texts.filter((text) => ENGLISH.has(text))).toEqual([])
}

test('the first visit, the panels and the dialogs of the page', async ({ page, context }) => {
  await context.addInitScript(() => localStorage.removeItem('minnow-agreed'))
  await page.goto('/')
  await expect(page.getByRole('button', { name: '98 MB herunterladen' })).toBeVisible()
  await expect(page.locator('html')).toHaveAttribute('lang', 'de')
  await page.getByRole('button', { name: 'Messwerte' }).click()
  await expectGerman(page, '98 MB herunterladen')

  await page.getByRole('button', { name: 'Anpassen' }).click()
  await expect(page.getByRole('dialog', { name: 'Dieses Gespräch' })).toBeVisible()
  await expectGerman(page, 'Zufall (Temperatur)')
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: 'Aufgaben' }).click()
  const jobs = page.getByRole('dialog', { name: 'Aufgaben für ein kleines Modell' })
  await expectGerman(page, 'Umschreiben')
  await jobs.getByRole('button', { name: 'Umschreiben' }).click()
  await expectGerman(page, 'Los')
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: 'Modelle auf diesem Gerät' }).click()
  const models = page.getByRole('dialog', { name: 'Modelle auf diesem Gerät' })
  await models.getByLabel('Oder die Adresse').fill(new URL('/faults/no-model.gguf', page.url()).href)
  await page.keyboard.press('Enter')
  await expect(models.getByRole('alert')).toContainText('beschädigt oder kein Modell')
  await expectGerman(page, 'Modell hinzufügen')
  await models.getByRole('button', { name: 'Schließen' }).click()

  await page.locator('#documents input[type=file]').setInputFiles({
    name: 'bild.png',
    mimeType: 'image/png',
    buffer: Buffer.from([0x89, 0x50, 0, 0]),
  })
  await expect(page.getByRole('alert')).toContainText('bild.png wurde nicht hinzugefügt.')
  await expectGerman(page, 'bild.png wurde nicht hinzugefügt.')
})

test('settings, consent, an answer from elsewhere, usage, errors, no network', async ({
  page,
  context,
  remote,
}) => {
  await page.goto('/')
  await page.getByRole('button', { name: 'Einstellungen' }).click()
  const settings = page.getByRole('dialog', { name: 'Einstellungen' })
  await settings.getByLabel('Adresse', { exact: true }).fill('keine')
  await settings.getByLabel('Preis für eine Million gelesene').fill('viel')
  await settings.getByText('Die Regeln als JSON').first().click()
  await settings.getByRole('textbox', { name: 'Die Regeln als JSON' }).fill('{')
  await settings.getByRole('button', { name: 'Speichern' }).click()
  await expect(settings.locator('.error')).not.toHaveCount(0)
  await expectGerman(page, 'Das ist kein JSON.')
  await settings.getByRole('textbox', { name: 'Die Regeln als JSON' }).fill('{ "accept": 0 }')
  await settings.getByLabel('Preis für eine Million gelesene').fill('')
  await settings.getByLabel('Adresse', { exact: true }).fill(remote.baseUrl)
  await settings.getByLabel('Modell', { exact: true }).fill('bigger-model')
  await settings.getByLabel('Schlüssel', { exact: true }).fill(KEY)
  await expectGerman(page, 'Wer antwortet')
  await settings.getByRole('button', { name: 'Wie sicher eine Antwort ist' }).click()
  await expect(page.getByRole('dialog', { name: 'Wie sicher eine Antwort ist' })).toBeVisible()
  await expectGerman(page, 'Deine Urteile')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Einstellungen' }).click()
  await settings.getByLabel('Adresse', { exact: true }).fill(remote.baseUrl)
  await settings.getByLabel('Modell', { exact: true }).fill('bigger-model')
  await settings.getByLabel('Schlüssel', { exact: true }).fill(KEY)
  await settings.getByRole('textbox', { name: 'Die Regeln als JSON' }).fill('{ "accept": 0 }')
  await settings.getByRole('button', { name: 'Speichern' }).click()
  await expect(settings).toBeHidden()

  await page.getByLabel('Deine Frage').fill('What is the capital of France? Mail anna@example.org.')
  await page.keyboard.press('Enter')
  await settled(page)
  await expect(lastTurn(page).locator('[part=badge]')).toContainText('auf diesem Gerät')
  await expectGerman(page, 'Das größere Modell fragen')
  const askBigger = lastTurn(page).getByRole('button', { name: 'Das größere Modell fragen' })
  await askBigger.click()
  const consent = page.getByRole('dialog', { name: 'Das an bigger-model senden?' })
  await consent.getByText('Die ganze Anfrage').click()
  await expectGerman(page, 'Einmal senden')
  await consent.getByRole('button', { name: 'Einmal senden' }).click()
  const badge = lastTurn(page).locator('[part=badge]')
  await expect(badge).toContainText('beantwortet von bigger-model')
  await badge.click()
  await expect(lastTurn(page).locator('[part=details]')).toContainText('Was gesendet wurde')
  await expectGerman(page, 'Was gesendet wurde')

  await page.getByRole('button', { name: 'Einstellungen' }).click()
  await settings.getByRole('button', { name: 'Nutzung und Kosten' }).click()
  const usage = page.getByRole('dialog', { name: 'Nutzung und Kosten' })
  await usage.getByText('Als Tabelle').first().click()
  await expectGerman(page, 'Als Tabelle')
  await usage.getByRole('button', { name: 'Schließen' }).click()

  await page.getByLabel('Deine Frage').fill('And of Italy?')
  await page.keyboard.press('Enter')
  await settled(page)
  remote.faults.push({ kind: 'status', status: 401 })
  await askBigger.click()
  await page.getByRole('button', { name: 'Einmal senden' }).click()
  await expect(page.locator('#failure')).toContainText('hat den Schlüssel abgelehnt')
  await expect(badge).toContainText('nicht bestätigt')
  await expectGerman(page, 'Einstellungen')

  await context.setOffline(true)
  await page.getByRole('button', { name: 'Einstellungen' }).first().click()
  await settings.getByRole('radio', { name: 'Zuerst das größere Modell' }).check()
  await settings.getByRole('button', { name: 'Speichern' }).click()
  await page.getByLabel('Deine Frage').fill('And of Spain?')
  await page.keyboard.press('Enter')
  const wait = page.getByRole('dialog', { name: 'Es gibt kein Netz' })
  await expect(wait).toBeVisible()
  await expectGerman(page, 'Nicht warten')
  await wait.getByRole('button', { name: 'Auf das Netz warten' }).click()
  await page.getByText('Eine Frage wartet auf das Netz').click()
  await expectGerman(page, 'Vergessen')
})
