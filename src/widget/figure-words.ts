import { strings } from './strings'

/** Numbers as people read them, in the page's language unless another is given (BCP 47). */

/** US dollars; amounts below a cent keep their first two digits. */
export function moneyOf(usd: number, language = strings().language): string {
  const dollars = (value: number): string =>
    new Intl.NumberFormat(language, {
      style: 'currency',
      currency: 'USD',
      minimumFractionDigits: 2,
      maximumFractionDigits: 6,
    }).format(value)
  if (usd === 0 || usd >= 0.01) return dollars(Math.round(usd * 100) / 100)
  return usd < 1e-6 ? `< ${dollars(1e-6)}` : dollars(Number(usd.toPrecision(2)))
}

export function countOf(value: number, language = strings().language): string {
  return new Intl.NumberFormat(language).format(Math.round(value))
}

/** 0…1. */
export function percentOf(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function secondsOf(ms: number, language = strings().language): string {
  const seconds = ms / 1000
  const digits = seconds < 1 ? 2 : seconds < 10 ? 1 : 0
  const format = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  return `${format.format(seconds)} s`
}
