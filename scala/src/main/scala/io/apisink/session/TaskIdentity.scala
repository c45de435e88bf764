package io.apisink.session

import io.apisink.Json
import org.apache.spark.SparkEnv

/**
 * Who asks: a task attempt, as it reaches the sink's `worker` column.
 *
 * @param opening tells apart the times that the run was opened and gone on with
 * @param logLevel the least severe level of the native library's lines of exchanges that anybody will read
 */
private[apisink] final case class TaskIdentity(
    runId: String,
    opening: String,
    executorId: String,
    host: String,
    pid: Long,
    partition: Int,
    taskAttemptId: Long,
    logLevel: String,
    keeper: RateKeeper
) {

  def toJson: Array[Byte] = {
    val json = Json.newObject()
      .put("runId", runId)
      .put("opening", opening)
      .put("epoch", 0)
      .put("executorId", executorId)
      .put("host", host)
      .put("pid", pid)
      .put("partitionId", partition)
      .put("taskAttemptId", taskAttemptId)
      .put("logLevel", logLevel)
    keeper match {
      case RateKeeper.Process => json.put("rateKeeper", "process")
      case RateKeeper.Driver => json.put("rateKeeper", "driver")
      case RateKeeper.Share(tasks) => json.putObject("rateKeeper").put("share", tasks)
    }
    Json.bytes(json)
  }
}

private[apisink] object TaskIdentity {

  /** The identity of the task that the calling thread runs. */
  def current(runId: String, opening: String, partition: Int, taskAttemptId: Long, keeper: RateKeeper): TaskIdentity = {
    val env = SparkEnv.get
    TaskIdentity(
      runId,
      opening,
      env.executorId,
      env.blockManager.blockManagerId.host,
      ProcessHandle.current().pid(),
      partition,
      taskAttemptId,
      NativeLog.exchangeLevel,
      keeper
    )
  }
}
