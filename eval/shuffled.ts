/** Fisher and Yates. */
export function shuffled<Element>(items: readonly Element[], random: () => number): Element[] {
  const order = [...items]
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}
