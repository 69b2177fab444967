import { css } from 'lit'

export const answerFooterStyle = css`
  :host {
    display: block;
    font-size: 0.875rem;
    line-height: 1.5;
  }

  .row,
  .actions {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0 0.25rem;
  }

  .row {
    justify-content: space-between;
    gap: 0 1rem;
  }

  /* Icons in line with the text, not their empty edges. */
  .actions {
    margin-inline: -0.5625rem;
  }

  .badge {
    display: inline-flex;
    align-items: center;
    gap: 0.5rem;
    max-width: 100%;
    min-height: 2rem;
    padding: 0.125rem 0.25rem 0.125rem 0;
    border-radius: 0.375rem;
    background: none;
    color: var(--_soft);
    font-weight: 500;
    text-align: start;
  }

  .badge .text {
    min-width: 0;
    overflow-wrap: anywhere;
  }

  .dot {
    flex: none;
    width: 0.5rem;
    height: 0.5rem;
    border: 2px solid var(--_accent);
    border-radius: 50%;
    background: var(--_accent);
  }

  .away .dot {
    background: none;
  }

  .doubt {
    color: var(--_alert);
  }

  .doubt .dot {
    border-color: var(--_alert);
    border-radius: 0;
    background: none;
    rotate: 45deg;
  }

  svg {
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.5;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .chevron {
    flex: none;
    width: 0.75rem;
  }

  [aria-expanded='true'] .chevron {
    rotate: 180deg;
  }

  /* Whatever holds the conversation says what there is no use for: a property to be set through all elements between. */
  .bigger {
    display: var(--_bigger-display, inline-block);
  }

  .icon {
    display: var(--_thumbs-display, inline-grid);
    place-items: center;
    width: 2.25rem;
    min-height: 2.25rem;
    padding: 0;
    background: none;
    color: var(--_soft);
  }

  @media (max-width: 26rem) {
    .actions {
      gap: 0;
    }

    .bigger {
      padding-inline: 0.25rem;
    }

    .icon {
      width: 2rem;
    }
  }

  .icon svg {
    width: 1.125rem;
  }

  .icon[aria-pressed='true'] {
    color: var(--_accent);
  }

  .icon[aria-pressed='true'] svg {
    fill: color-mix(in srgb, currentcolor 25%, transparent);
  }

  svg.down {
    rotate: 180deg;
  }

  .plain {
    margin-inline-end: 0.5rem;
  }

  .plain:disabled {
    color: var(--_soft);
    cursor: default;
  }

  #details {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.5rem;
    margin-top: 0.5rem;
    padding: 0.875rem 1rem 1rem;
    border: 1px solid var(--_line);
    border-radius: 0.5rem;
  }

  dl {
    display: grid;
    gap: 0.25rem;
  }

  dl div {
    display: grid;
    grid-template-columns: 6rem minmax(0, 1fr);
    gap: 0 0.75rem;
  }

  dt {
    color: var(--_soft);
  }

  h3 {
    margin-top: 0.5rem;
    font-size: inherit;
    font-weight: 650;
  }

  .destination {
    overflow-wrap: anywhere;
  }

  @media (width < 28rem) {
    dl div {
      grid-template-columns: minmax(0, 1fr);
    }

    dl div + div {
      margin-top: 0.375rem;
    }
  }
`
