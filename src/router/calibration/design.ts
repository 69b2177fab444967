/** A matrix of examples (rows) by features (columns), as the fits use it: only through products with vectors. */
export interface Design {
  readonly rows: number
  readonly columns: number
  /** (rows) The matrix times `vector` (columns). */
  multiply(vector: Float64Array): Float64Array
  /** (columns) The transposed matrix times `vector` (rows). */
  multiplyTransposed(vector: Float64Array): Float64Array
}

/** @param values (rows, columns), row after row */
export function denseDesign(values: Float64Array, rows: number, columns: number): Design {
  return {
    rows,
    columns,
    multiply(vector) {
      const out = new Float64Array(rows)
      for (let row = 0, at = 0; row < rows; row++) {
        let sum = 0
        for (let column = 0; column < columns; column++, at++) sum += values[at]! * vector[column]!
        out[row] = sum
      }
      return out
    },
    multiplyTransposed(vector) {
      const out = new Float64Array(columns)
      for (let row = 0, at = 0; row < rows; row++) {
        const factor = vector[row]!
        for (let column = 0; column < columns; column++, at++) out[column]! += values[at]! * factor
      }
      return out
    },
  }
}

/** Rows of few entries each, given as [column, value] pairs; what is not named is 0. */
export function sparseDesign(
  entries: readonly (readonly (readonly [column: number, value: number])[])[],
  columns: number,
): Design {
  return {
    rows: entries.length,
    columns,
    multiply: (vector) =>
      Float64Array.from(entries, (row) =>
        row.reduce((sum, [column, value]) => sum + value * vector[column]!, 0),
      ),
    multiplyTransposed(vector) {
      const out = new Float64Array(columns)
      entries.forEach((row, index) => {
        for (const [column, value] of row) out[column]! += value * vector[index]!
      })
      return out
    },
  }
}

/** Columns of several designs beside each other. */
export function joinDesigns(parts: readonly Design[]): Design {
  const rows = parts[0]!.rows
  const columns = parts.reduce((sum, part) => sum + part.columns, 0)
  return {
    rows,
    columns,
    multiply(vector) {
      const out = new Float64Array(rows)
      let from = 0
      for (const part of parts) {
        const products = part.multiply(vector.subarray(from, from + part.columns))
        for (let row = 0; row < rows; row++) out[row]! += products[row]!
        from += part.columns
      }
      return out
    },
    multiplyTransposed(vector) {
      const out = new Float64Array(columns)
      let from = 0
      for (const part of parts) {
        out.set(part.multiplyTransposed(vector), from)
        from += part.columns
      }
      return out
    },
  }
}
