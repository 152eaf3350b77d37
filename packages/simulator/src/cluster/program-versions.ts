/** Programs of two versions, by the levels of features that they know; the newer one has a level more of everything than this one. */
import type { SupportedFeature } from '@naru/metadata'

export interface ProgramVersion {
  readonly features: readonly SupportedFeature[]
}

export const olderProgram: ProgramVersion = {
  features: [
    { name: 'metadata.version', min: 7, max: 29 },
    { name: 'naru.version', min: 1, max: 1 },
  ],
}

export const newerProgram: ProgramVersion = {
  features: [
    { name: 'metadata.version', min: 7, max: 31 },
    { name: 'naru.version', min: 1, max: 2 },
  ],
}
