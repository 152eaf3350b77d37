import { configPage } from '@naru/broker'
import { errorsPage } from '@naru/model'
import { protocolPage } from '@naru/protocol'

export function generatedPages(): Record<string, string> {
  return { 'CONFIG.md': configPage(), 'ERRORS.md': errorsPage(), 'PROTOCOL.md': protocolPage() }
}
