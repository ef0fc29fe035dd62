/** Settings of the metadata quorum and of what it decides by default. */
import { boolean, define, int, long } from "@millrace/config"

export const controllerConfig = define({
  "node.id": int({ default: 1, min: 0, importance: "HIGH", doc: "This node's number in the cluster." }),
  "num.partitions": int({
    default: 1,
    min: 1,
    doc: "Partitions of a topic whose creator does not say.",
  }),
  "default.replication.factor": int({
    default: 1,
    min: 1,
    doc: "Replicas of a topic whose creator does not say.",
  }),
  "delete.topic.enable": boolean({ default: true, importance: "HIGH", doc: "Allow topics to be deleted." }),
  "metadata.log.segment.bytes": int({
    default: 1_073_741_824,
    min: 8_388_608,
    importance: "HIGH",
    doc: "Segment size of the metadata log.",
  }),
  "metadata.log.segment.ms": long({
    default: 604_800_000,
    importance: "HIGH",
    doc: "Age at which the metadata log starts a new segment.",
  }),
  "metadata.log.max.record.bytes.between.snapshots": long({
    default: 20_971_520,
    min: 1,
    importance: "HIGH",
    doc: "Bytes of metadata records after which a snapshot is written.",
  }),
  "metadata.log.max.snapshot.interval.ms": long({
    default: 3_600_000,
    min: 0,
    importance: "HIGH",
    doc: "Age of the last snapshot after which changes are put into a new one; 0 for never.",
  }),
  "metadata.max.partitions": int({
    default: 200_000,
    min: 1,
    doc: "Most partitions the cluster may have.",
  }),
})
