/** Numbers as people read them. */

const dollars = new Intl.NumberFormat('en', {
  style: 'currency',
  currency: 'USD',
  minimumFractionDigits: 2,
  maximumFractionDigits: 6,
})
const counts = new Intl.NumberFormat('en')

/** US dollars; amounts below a cent keep their first two digits. */
export function moneyOf(usd: number): string {
  if (usd === 0 || usd >= 0.01) return dollars.format(Math.round(usd * 100) / 100)
  return usd < 1e-6 ? 'less than $0.000001' : dollars.format(Number(usd.toPrecision(2)))
}

export function countOf(value: number): string {
  return counts.format(Math.round(value))
}

/** 0…1. */
export function percentOf(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function secondsOf(ms: number): string {
  const seconds = ms / 1000
  return `${seconds < 10 ? seconds.toFixed(seconds < 1 ? 2 : 1) : counts.format(Math.round(seconds))} s`
}
