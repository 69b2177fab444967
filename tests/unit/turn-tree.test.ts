import { describe, expect, it } from 'vitest'
import { newTurn, type Turn } from '../../src/widget/turn'
import { TurnTree } from '../../src/widget/turn-tree'

function turn(id: string, parent: string | null, at: number): Turn {
  return { ...newTurn(id, 'conversation', parent), id, at }
}

function ids(turns: readonly Turn[]): string {
  return turns.map(({ id }) => id).join('')
}

describe('TurnTree', () => {
  const turns = [
    turn('a', null, 1),
    turn('b', 'a', 2),
    turn('c', 'b', 3),
    turn('B', 'a', 4),
    turn('C', 'B', 5),
  ]

  it('shows the newest way, or the one that was left', () => {
    expect(ids(new TurnTree(turns.toReversed()).path())).toBe('aBC')
    expect(ids(new TurnTree(turns, 'c').path())).toBe('abc')
    expect(ids(new TurnTree(turns, 'b').path())).toBe('abc')
    expect(ids(new TurnTree(turns, 'gone').path())).toBe('aBC')
  })

  it('goes to a sibling and back to where it was', () => {
    const tree = new TurnTree(turns, 'c')
    expect(ids(tree.siblings(turns[1]!))).toBe('bB')
    tree.select(turns[3]!)
    expect(ids(tree.path())).toBe('aBC')
    tree.add(turn('D', 'B', 6))
    expect(ids(tree.path())).toBe('aBD')
    tree.select(turns[1]!)
    tree.select(turns[3]!)
    expect(ids(tree.path())).toBe('aBD')
    expect(ids(tree.pathTo(turns[2]!))).toBe('abc')
  })

  it('ends where turns name each other, or one that is not there', () => {
    const circle = new TurnTree([turn('a', 'b', 1), turn('b', 'a', 1), turn('c', 'gone', 2)])
    expect(ids(circle.path())).toBe('c')
    expect(ids(circle.siblings(circle.get('a')!))).toBe('ac')
    expect(ids(circle.pathTo(circle.get('b')!))).toBe('ab')
  })
})
