import { describe, expect, it } from 'vitest'
import { readBlocks, writeHtml } from '../../src/widget/markdown-grammar'
import { closeMarks } from '../../src/widget/markdown-marks'

const TEXT = `# Title

One *two* **three** \`code\`
second line

- a
- b

  more of b

1. one
2. two

| a | b |
|---|--:|
| 1 | 2 |

\`\`\`js
let x = 1

let y
\`\`\`

> quoted
> more

$$
a_b * c_d
$$

Text
---
[ref]: https://example.org
<b>bold</b> the end`

function html(text: string): string {
  return readBlocks(text).map(writeHtml).join('')
}

describe('Markdown', () => {
  it('cuts into blocks that joined are the source', () => {
    expect(
      readBlocks(TEXT)
        .map(({ raw }) => raw)
        .join(''),
    ).toBe(TEXT)
  })

  it('changes no block but the last when the text grows', () => {
    for (let length = 1; length < TEXT.length; length++) {
      const finished = readBlocks(TEXT.slice(0, length)).slice(0, -1)
      const later = readBlocks(TEXT.slice(0, length + 1))
      expect(finished.map(writeHtml)).toEqual(later.slice(0, finished.length).map(writeHtml))
    }
  })

  it('reads a text from any finished block on as it reads the whole', () => {
    const blocks = readBlocks(TEXT)
    for (let first = 0; first < blocks.length; first++) {
      const rest = blocks.slice(first)
      const read = readBlocks(rest.map(({ raw }) => raw).join(''))
      expect(read.map(writeHtml)).toEqual(rest.map(writeHtml))
    }
  })

  it('shows HTML as text', () => {
    expect(html('<script>alert(1)</script>')).toBe('<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n')
    expect(html('a <b onclick="x">c</b>')).not.toMatch(/<b|onclick="/)
    expect(html('<div>\n\n<style>p{}</style>')).not.toMatch(/<(div|style)/)
  })

  it('links to whole addresses of the web and of mail only', () => {
    expect(html('[a](https://example.org/?a=1&b="2")')).toMatch(/^<p><a href="https:[^"]*">a<\/a><\/p>\n$/)
    expect(html('<mail@example.org>')).toContain('href="mailto:mail@example.org"')
    for (const address of ['javascript:alert(1)', 'data:text/html,x', '/settings', '//example.org', '#x']) {
      expect(html(`[a](${address})`)).toBe('<p>a</p>\n')
    }
  })

  it('makes a link of an image, so that nobody is asked for it', () => {
    expect(html('![a](https://example.org/a.png)')).toBe('<p><a href="https://example.org/a.png">a</a></p>\n')
    expect(html('![a](data:image/png;base64,AA)')).toBe('<p>a</p>\n')
  })

  it('leaves formulas as they are written', () => {
    expect(html('so $a_1 * b_2$ and \\(x_i^*\\) hold')).toBe(
      '<p>so <code data-kind="math">$a_1 * b_2$</code> and <code data-kind="math">\\(x_i^*\\)</code> hold</p>\n',
    )
    expect(html('$$\na_b * c_d *\n$$')).toContain('<code data-kind="math">$$\na_b * c_d *\n$$</code>')
    expect(html('It costs $5 and $6 or so.')).toBe('<p>It costs $5 and $6 or so.</p>\n')
  })

  it('tells the language of code, and nothing else of the line', () => {
    expect(readBlocks('```JS onload=x\na\n```')[0]).toMatchObject({ kind: 'code', language: 'js', code: 'a' })
    expect(readBlocks('```"><img src=x>\na\n```')[0]?.language).toBe('')
  })
})

describe('closeMarks()', () => {
  it.each([
    ['some **bo', 'some **bo**'],
    ['some **bold** and', 'some **bold** and'],
    ['some *it **bo', 'some *it **bo***'],
    ['a `co', 'a `co`'],
    ['a `**` b', 'a `**` b'],
    ['a **', 'a '],
    ['a ~~de', 'a ~~de~~'],
    ['see [the page](https://exa', 'see the page'],
    ['see [the pa', 'see the pa'],
    ['see ![', 'see '],
    ['* item\n* it', '* item\n* it'],
    ['3 * 4', '3 * 4'],
    ['plain', 'plain'],
  ])('%j reads as %j', (text, closed) => {
    expect(closeMarks(text)).toBe(closed)
  })
})
