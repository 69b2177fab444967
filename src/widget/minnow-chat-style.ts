import { css } from 'lit'

/**
 * The page around it may style anything by `*` and inherit anything: `.root` begins anew, so that only the
 * custom properties named here come in. Sizes are not in rem, which is the page's.
 */
export const minnowChatStyle = css`
  .root {
    all: initial;
    --paper: var(--minnow-paper, light-dark(#fbfaf7, #14171a));
    --ink: var(--minnow-ink, light-dark(#1d2327, #e6e4de));
    --soft: var(--minnow-soft, light-dark(#5d666d, #9aa2a8));
    --line: var(--minnow-line, light-dark(#dcd9d1, #30363b));
    --wash: var(--minnow-wash, light-dark(#f0eee8, #1e2327));
    --accent: var(--minnow-accent, light-dark(#0b5c74, #7cc4d9));
    --on-accent: var(--minnow-on-accent, light-dark(#ffffff, #0c1a1f));
    --alert: var(--minnow-alert, light-dark(#8f2d1c, #f0a392));
    /* What the build makes of rem in the elements within (scripts/build-library.ts). */
    --_rem: var(--minnow-font-size, 16px);
    display: block;
    direction: ltr;
    color: var(--ink);
    color-scheme: light dark;
    font: var(--minnow-font-size, 16px) / 1.5 var(--minnow-font, system-ui, sans-serif);
    text-align: start;
  }

  :host([dir='rtl']) .root {
    direction: rtl;
  }

  :host([theme='light']) .root {
    color-scheme: light;
  }

  :host([theme='dark']) .root {
    color-scheme: dark;
  }

  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  [hidden] {
    display: none !important;
  }

  button {
    margin: 0;
    border: 0;
    font: inherit;
    cursor: pointer;
  }

  button:focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }

  svg {
    width: 1.375em;
    height: 1.375em;
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .launcher {
    display: inline-flex;
    align-items: center;
    gap: 0.5em;
    min-height: 2.75em;
    padding: 0.5em 1.125em;
    border-radius: 1.375em;
    background: var(--accent);
    color: var(--on-accent);
    font-weight: 600;
  }

  .launcher:hover {
    filter: brightness(1.08);
  }

  :host(:not([mode='inline'])) .launcher {
    position: fixed;
    inset: auto;
    inset-block-end: var(--minnow-inset, 20px);
    inset-inline-end: var(--minnow-inset, 20px);
    z-index: 2147483000;
    max-width: calc(100vw - 2 * var(--minnow-inset, 20px));
    box-shadow: 0 4px 16px rgb(0 0 0 / 22%);
  }

  .panel {
    display: flex;
    flex-direction: column;
    width: var(--minnow-width, 100%);
    height: var(--minnow-height, 480px);
    padding: 0;
    overflow: hidden;
    border: 1px solid var(--line);
    border-radius: var(--minnow-radius, 14px);
    background: var(--paper);
    color: var(--ink);
  }

  .panel:focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: -2px;
  }

  .floating {
    position: fixed;
    inset: auto;
    inset-block-end: var(--minnow-inset, 20px);
    inset-inline-end: var(--minnow-inset, 20px);
    z-index: 2147483000;
    width: min(var(--minnow-width, 400px), 100vw - 2 * var(--minnow-inset, 20px));
    height: min(var(--minnow-height, 600px), 100dvh - 2 * var(--minnow-inset, 20px));
    margin: 0;
    box-shadow: 0 12px 40px rgb(0 0 0 / 26%);
  }

  .head {
    display: flex;
    flex: none;
    align-items: center;
    justify-content: space-between;
    gap: 0.75em;
    min-height: 3.25em;
    padding: 0.25em 0.5em 0.25em 1.125em;
    border-block-end: 1px solid var(--line);
  }

  .title {
    overflow: hidden;
    font-weight: 650;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .close {
    display: inline-grid;
    flex: none;
    place-items: center;
    width: 2.75em;
    height: 2.75em;
    padding: 0;
    border-radius: 50%;
    background: none;
    color: var(--soft);
  }

  .close:hover {
    color: var(--ink);
  }

  .body {
    display: flex;
    flex: 1 1 auto;
    flex-direction: column;
    min-height: 0;
  }

  .body > * {
    flex: 1 1 auto;
    min-height: 0;
  }

  .wait {
    margin: 0;
    padding: 1.125em;
    color: var(--soft);
  }

  .unopened {
    height: auto;
  }

  .start {
    display: flex;
    flex: 1 1 auto;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 1em;
    padding: 2em 1.125em 1em;
    text-align: center;
  }

  .disclaimer {
    flex: none;
    padding: 0 1.25em 0.75em;
    color: var(--soft);
    font-size: 0.8125em;
    line-height: 1.4;
    text-align: center;
    text-wrap: balance;
  }

  @media (width < 480px) {
    .floating {
      inset: 0;
      width: 100vw;
      height: 100dvh;
      border-width: 0;
      border-radius: 0;
    }
  }
`
