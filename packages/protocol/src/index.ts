export type { Api, ApiDefinition, RequestOf, ResponseOf } from './api.ts'
export { defineApi } from './api.ts'
export { apis } from './apis/index.ts'
export { FrameSplitter } from './frame.ts'
export { protocolPage } from './protocol-page.ts'
export type { RequestHeader } from './request-header.ts'
export {
  hasResponseHeaderTags,
  readRequestHeader,
  skipHeaderTags,
  writeRequestHeader,
} from './request-header.ts'
export type { Codec, Type, ValueOf, Version } from './schema.ts'
export {
  array,
  boolean,
  bytes,
  int8,
  int16,
  int32,
  int64,
  nullableArray,
  nullableString,
  nullableStruct,
  since,
  string,
  struct,
  tagged,
  uuid,
} from './schema.ts'
