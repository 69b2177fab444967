/** How many items of which task: '300' for all tasks, 'a:300,b:100' for these two and none of others, 'all'. */
export type Counts = (task: string) => number

/** @throws Error that says what was got */
export function parseCounts(text: string): Counts {
  if (!text.includes(':')) {
    const count = parseCount(text)
    return () => count
  }
  const counts = new Map(
    text.split(',').map((part) => {
      const [task = '', count = ''] = part.split(':')
      return [task, parseCount(count)] as const
    }),
  )
  return (task) => counts.get(task) ?? 0
}

/** Tasks by name, each with the most of its items that are wanted: 'a,b:400'. */
export function parseTasks(text: string): Map<string, number> {
  return new Map(
    text
      .split(',')
      .filter((part) => part !== '')
      .map((part) => {
        const [task = '', count = 'all'] = part.split(':')
        return [task, parseCount(count)] as const
      }),
  )
}

function parseCount(text: string): number {
  const count = text === 'all' ? Infinity : Number(text)
  if (text.trim() === '' || !(count === Infinity || Number.isInteger(count)) || count < 0)
    throw new Error(`Wanted a whole number of items, or "all"; got "${text}".`)
  return count
}

/** What was asked of one task in one way. */
export interface Asked {
  readonly task: string
  readonly count: number
  readonly available: number
}

/** As `parseCounts` reads it: 'a:300,b:all'. */
export function formatCounts(asked: readonly Asked[]): string {
  return asked.map(({ task, count, available }) => `${task}:${count === available ? 'all' : count}`).join(',')
}

/** As `parseTasks` reads it: 'a,b:400'. */
export function formatTasks(asked: readonly Asked[]): string {
  return asked
    .map(({ task, count, available }) => (count === available ? task : `${task}:${count}`))
    .join(',')
}
