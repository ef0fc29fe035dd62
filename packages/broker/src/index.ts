export { Broker, type BrokerOptions } from "./broker.ts"
export { type BrokerConfig, brokerConfig } from "./config/broker.ts"
export { type TopicConfig, topicConfig } from "./config/topic.ts"
export { allowAll, type Authorizer, denyAll, type Permission } from "./security/authorizer.ts"
