/** Paths of the disk port are absolute and use slashes. */
export function join(directory: string, name: string): string {
  return `${directory}/${name}`
}

export function dirname(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
