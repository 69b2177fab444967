/** Minnow: mini language models in the browser. The public library. */
export { createEngine, type CreateEngineOptions } from './client/create-engine'
export { openModelStore } from './client/model-store'
export { createFrameEngine, type CreateFrameEngineOptions } from './client/frame-engine'
export type { ModelSource } from './client/model-reference'
export { createSharedEngine, type CreateSharedEngineOptions } from './client/shared-engine'
export type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatCompletions,
  Engine,
  BackendPreference,
  EngineInfo,
  FinishReason,
  KvCache,
  LoadProgress,
  MinnowChunkPart,
  MinnowCompletionPart,
  MinnowParams,
  MinnowReadings,
  RequestOptions,
  Timings,
  TokenLogprob,
  TopLogprob,
  Usage,
} from './contract/engine'
export type {
  AssistantMessage,
  ChatMessage,
  ChatRole,
  SystemMessage,
  TextContent,
  TextMessage,
  TextPart,
  ToolMessage,
  UserMessage,
} from './contract/chat-messages'
export {
  EngineError,
  isEngineError,
  type EngineErrorCode,
  type EngineErrorData,
  type EngineErrorDetails,
} from './contract/error'
export { createFetchHandler, type FetchHandler, type FetchHandlerOptions } from './http/create-fetch-handler'
export type {
  ModelDescription,
  ModelStore,
  ModelUpdate,
  StorageRoom,
  StoredModel,
  TransferOptions,
} from './contract/model-store'
export type {
  GrammarFormat,
  JsonObjectFormat,
  JsonSchemaFormat,
  RegexFormat,
  ResponseFormat,
  StructuredAnswer,
} from './contract/response-format'
export type { ChatTool, JsonSchema, ToolCall, ToolCallDelta, ToolChoice } from './contract/tools'
export { createRemoteEngine } from './router/providers/remote-engine'
export type {
  ExtraParameter,
  KeySource,
  RemoteBreaker,
  RemoteEngineOptions,
  RemoteRetry,
  RemoteTimeouts,
} from './router/providers/remote-options'
export {
  createRemotePool,
  type RemotePoolMember,
  type RemotePoolOptions,
} from './router/providers/remote-pool'
export type { FallbackCause } from './router/providers/fallback'
export type { PoolStrategy } from './router/providers/pool-members'
export type {
  ContentPart,
  RemoteCompletions,
  RemoteEngine,
  RemoteMessage,
  RemoteModel,
  RemoteParams,
} from './contract/remote'
export type {
  AnswerSource,
  DecisionStage,
  Modality,
  OutgoingRequest,
  Price,
  RemoteSource,
  RouteAction,
  RouteCost,
  RouteDecision,
  RouteEvent,
  RouteReason,
  RouteRequest,
  RoutingMode,
  SendPurpose,
  SentRecord,
  SettledRoute,
} from './contract/route'
export type { PromptReading, TokenSignal } from './contract/signals'
export type { AskedItem } from './router/calibration/ask-item'
export {
  calibrate,
  readQuestions,
  type CalibrateOptions,
  type LabelledQuestions,
} from './router/calibration/calibrate'
export { createConfidenceModel } from './router/calibration/confidence-model'
export { loadDefaultCalibration } from './router/calibration/default-calibration'
export {
  fitCalibration,
  type FitCalibrationOptions,
  type LabelledAnswer,
} from './router/calibration/fit-calibration'
export { recalibrate, type JudgedAnswer, type Recalibration } from './router/calibration/recalibrate'
export { parseCalibration, type Calibration } from './router/calibration/schema'
export type {
  CalibrationTarget,
  ConfidenceModel,
  PromptSignal,
  Stage,
  TaskKind,
} from './router/signals/types'
export { createRouter, type CreateRouterOptions, type Router } from './router/create-router'
export type { AskConsent, ConsentAnswer, ConsentQuestion } from './router/consent'
export type { Destination } from './router/outgoing'
export type { DescribeQuestion } from './router/facts'
export type { Ledger, LedgerEntry, LedgerTotals } from './router/ledger'
export { parsePolicy, type Policy, type PolicyInput, type PolicyRule } from './router/policy/schema'
export type { Finding, PersonalDataKind } from './router/privacy/finding'
export { createScan } from './router/privacy/scan'
export { createVault, type Restorer, type Vault } from './router/privacy/vault'
export type { Feedback, FeedbackLabel, PersonCase, WaitingQuestion } from './router/queues'
export { openIndexedDbStorage } from './router/storage/indexed-db'
export { createMemoryStorage, type RouterStorage, type Row, type TableName } from './router/storage/tables'
export type { RouteSpan } from './router/telemetry'
