import { css } from 'lit'

/**
 * What all elements share. Colours come from the custom properties of the page around them (`--paper`, `--ink`,
 * `--soft`, `--line`, `--wash`, `--accent`, `--on-accent`, `--alert`); without any they follow the colour scheme.
 */
export const theme = css`
  :host {
    --_paper: var(--paper, light-dark(#fbfaf7, #14171a));
    --_ink: var(--ink, light-dark(#1d2327, #e6e4de));
    --_soft: var(--soft, light-dark(#5d666d, #9aa2a8));
    --_line: var(--line, light-dark(#dcd9d1, #30363b));
    --_wash: var(--wash, light-dark(#f0eee8, #1e2327));
    --_accent: var(--accent, light-dark(#0b5c74, #7cc4d9));
    --_on-accent: var(--on-accent, light-dark(#ffffff, #0c1a1f));
    --_alert: var(--alert, light-dark(#8f2d1c, #f0a392));
    color: var(--_ink);
  }

  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  :host([hidden]),
  [hidden] {
    display: none !important;
  }

  h2,
  h3,
  p,
  ul,
  dl,
  dd,
  figure,
  fieldset {
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }

  ul {
    list-style: none;
  }

  button {
    min-height: 2.75rem;
    padding: 0.5rem 1rem;
    border: 0;
    border-radius: 0.5rem;
    background: var(--_accent);
    color: var(--_on-accent);
    font: inherit;
    font-weight: 600;
    line-height: 1.5;
    cursor: pointer;
  }

  button:hover {
    filter: brightness(1.08);
  }

  button:focus-visible,
  summary:focus-visible,
  a:focus-visible,
  [tabindex]:focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }

  button.secondary {
    border: 1px solid var(--_line);
    background: none;
    color: var(--_accent);
    font-weight: 500;
  }

  button.plain {
    min-height: 2rem;
    padding: 0.125rem 0;
    background: none;
    color: var(--_accent);
    font-weight: 400;
  }

  button.danger {
    color: var(--_alert);
  }

  pre {
    max-height: 16rem;
    margin: 0;
    padding: 0.75rem;
    overflow: auto;
    border: 1px solid var(--_line);
    border-radius: 0.5rem;
    background: var(--_wash);
    font:
      0.8125rem/1.5 ui-monospace,
      'Cascadia Mono',
      'DejaVu Sans Mono',
      monospace;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }

  mark {
    padding: 0 0.125rem;
    border-radius: 0.1875rem;
    background: none;
    outline: 1px solid var(--_accent);
    color: var(--_accent);
    font-weight: 600;
  }

  summary {
    min-height: 2rem;
    color: var(--_accent);
    cursor: pointer;
  }

  .soft {
    color: var(--_soft);
  }

  .small {
    font-size: 0.875rem;
  }

  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`

/** Of dialogs and the forms in them. */
export const dialogTheme = css`
  dialog {
    width: min(40rem, 100vw - 2rem);
    max-width: none;
    max-height: min(52rem, 100dvh - 2rem);
    margin: auto;
    padding: 0;
    overflow: hidden;
    border: 1px solid var(--_line);
    border-radius: 0.875rem;
    background: var(--_paper);
    color: var(--_ink);
  }

  dialog[open] {
    display: flex;
    flex-direction: column;
  }

  dialog > form {
    display: flex;
    flex-direction: column;
    min-height: 0;
  }

  dialog::backdrop {
    background: rgb(0 0 0 / 45%);
  }

  .head,
  .foot {
    display: flex;
    flex: none;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 0.75rem;
    padding: 0.875rem 1.25rem;
  }

  .head {
    justify-content: space-between;
    border-bottom: 1px solid var(--_line);
  }

  .foot {
    justify-content: flex-end;
    border-top: 1px solid var(--_line);
  }

  .foot .start {
    margin-inline-end: auto;
  }

  .body {
    display: grid;
    flex: 1 1 auto;
    min-height: 0;
    align-content: start;
    grid-template-columns: minmax(0, 1fr);
    gap: 1.75rem;
    padding: 1.25rem;
    overflow-y: auto;
    overscroll-behavior: contain;
  }

  h2 {
    font-size: 1.125rem;
    font-weight: 650;
    line-height: 1.35;
  }

  h3,
  legend {
    padding: 0;
    font-size: 1rem;
    font-weight: 650;
  }

  section,
  fieldset {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.75rem;
  }

  legend {
    margin-bottom: 0.75rem;
  }

  .field {
    display: grid;
    gap: 0.25rem;
  }

  .pair {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(12rem, 100%), 1fr));
    gap: 0.75rem;
  }

  .choice {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 0 0.625rem;
    align-items: baseline;
    min-height: 2.75rem;
  }

  .choice small {
    grid-column: 2;
  }

  small {
    color: var(--_soft);
    font-size: 0.875rem;
    line-height: 1.45;
  }

  input[type='radio'],
  input[type='checkbox'] {
    width: 1.125rem;
    height: 1.125rem;
    margin: 0;
    accent-color: var(--_accent);
    translate: 0 0.1875rem;
  }

  input:not([type='radio'], [type='checkbox']),
  select,
  textarea {
    width: 100%;
    min-height: 2.75rem;
    padding: 0.375rem 0.625rem;
    border: 1px solid var(--_soft);
    border-radius: 0.5rem;
    background: var(--_wash);
    color: inherit;
    font: inherit;
  }

  textarea {
    font:
      0.8125rem/1.5 ui-monospace,
      'Cascadia Mono',
      'DejaVu Sans Mono',
      monospace;
    resize: vertical;
  }

  input.short {
    width: 6rem;
  }

  :is(input, select, textarea):focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 1px;
  }

  [aria-invalid='true'] {
    border-color: var(--_alert) !important;
  }

  .error {
    color: var(--_alert);
    font-size: 0.875rem;
    line-height: 1.45;
  }

  @media (width < 28rem) {
    dialog {
      width: 100vw;
      max-height: 100dvh;
      border-width: 0;
      border-radius: 0;
    }

    .head,
    .foot,
    .body {
      padding-inline: 1rem;
    }

    .foot button {
      flex: 1 1 auto;
    }
  }
`
