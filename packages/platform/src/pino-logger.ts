import type { LogFields, Logger } from '@naru/base'
import type pino from 'pino'

export interface PinoOptions {
  readonly level: string
  /** For a person at a terminal; JSON lines otherwise. */
  readonly isPretty: boolean
}

/**
 * Logs to standard output. Lines are written at once: the last one before an end is the one that matters. Pino is loaded here: what
 * only wants a socket of this package must not wait for it.
 */
export async function createPinoLogger(options: PinoOptions): Promise<Logger> {
  const { pino } = await import('pino')
  const base = { level: options.level, base: null, messageKey: 'event' }
  const destination = options.isPretty ? await prettyStream() : pino.destination({ sync: true })
  return new PinoLogger(pino({ ...base, timestamp: pino.stdTimeFunctions.isoTime }, destination))
}

/** Loaded only when it is wanted: it takes as long to load as everything else of the logger. */
async function prettyStream(): Promise<pino.DestinationStream> {
  const { PinoPretty } = await import('pino-pretty')
  return PinoPretty({
    sync: true,
    messageKey: 'event',
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'component',
    messageFormat: '{component} {event}',
  })
}

class PinoLogger implements Logger {
  readonly #pino: pino.Logger

  constructor(logger: pino.Logger) {
    this.#pino = logger
  }

  debug(event: string, fields: LogFields = {}): void {
    this.#pino.debug(fields, event)
  }

  info(event: string, fields: LogFields = {}): void {
    this.#pino.info(fields, event)
  }

  warn(event: string, fields: LogFields = {}): void {
    this.#pino.warn(fields, event)
  }

  error(event: string, fields: LogFields = {}): void {
    this.#pino.error(fields, event)
  }

  child(component: string): Logger {
    return new PinoLogger(this.#pino.child({ component }))
  }
}
