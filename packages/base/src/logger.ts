/** The port of logs. `event` is a stable kebab-case name; fields are flat and hold no payloads and no secrets. */
export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** A logger that adds `component` to every line. */
  child(component: string): Logger
}

export type LogFields = Readonly<Record<string, unknown>>

/** Says nothing; for tests. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
}
