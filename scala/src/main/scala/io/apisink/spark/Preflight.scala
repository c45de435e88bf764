package io.apisink.spark

import io.apisink.ConfigException
import io.apisink.config.DriverPlan
import org.apache.spark.SparkConf

/** What of a session's settings speaks against a run. Pure. */
object Preflight {

  /**
   * Refuses what would send twice, be killed for its memory or show credentials to the network.
   *
   * @param conf settings of the Spark context
   * @param executors whether rows are sent by processes of their own (not in local mode)
   * @return warnings
   */
  def check(conf: SparkConf, executors: Boolean, plan: DriverPlan, hasSecrets: Boolean): Seq[String] = {
    refuseSpeculation(conf, plan)
    if (executors) memory(conf, plan).toSeq ++ encryption(conf, hasSecrets) else Nil
  }

  private def refuseSpeculation(conf: SparkConf, plan: DriverPlan): Unit =
    if (conf.getBoolean("spark.speculation", false)) {
      if (!plan.allowSpeculation) {
        throw new ConfigException(
          "SPECULATION",
          "spark.speculation is on: a task that Spark starts twice sends its rows twice",
          "Set spark.speculation=false; or, where the API discards repeats by their idempotency key, write" +
            " execution.allow_speculation: true in the config."
        )
      }
      if (plan.idempotencyHeader.isEmpty) {
        throw new ConfigException(
          "SPECULATION",
          "execution.allow_speculation needs the idempotency header, which endpoint.idempotency_header: false" +
            " switches off",
          "Switch the header on, or set spark.speculation=false."
        )
      }
    }

  /** A cluster manager that limits a container's memory kills an executor that exceeds it. */
  private def memory(conf: SparkConf, plan: DriverPlan): Option[String] = {
    val overhead = memoryOverheadMiB(conf)
    val budget = plan.memoryBudgetBytes / MiB
    val master = conf.get("spark.master", "")
    if (budget <= overhead) None
    else if (master.startsWith("yarn") || master.startsWith("k8s")) {
      throw new ConfigException(
        "MEMORY",
        s"execution.memory_budget_bytes ($budget MiB) exceeds the executors' memory overhead ($overhead MiB), out of" +
          " which native memory is taken: the cluster manager would kill them",
        s"Set spark.executor.memoryOverhead=${budget + 384}m or more, or lower the budget."
      )
    } else {
      Some(
        s"execution.memory_budget_bytes ($budget MiB) exceeds spark.executor.memoryOverhead ($overhead MiB); this" +
          " cluster manager does not enforce it, the machines must have the memory"
      )
    }
  }

  /** As Spark computes it: the setting, else a share of the executor's memory, at least 384 MiB. */
  private[spark] def memoryOverheadMiB(conf: SparkConf): Long =
    conf.getOption("spark.executor.memoryOverhead") match {
      case Some(_) => conf.getSizeAsMb("spark.executor.memoryOverhead")
      case None =>
        val factor = conf.getDouble("spark.executor.memoryOverheadFactor", 0.1)
        val least = conf.getSizeAsMb("spark.executor.minMemoryOverhead", "384m")
        math.max((conf.getSizeAsMb("spark.executor.memory", "1g") * factor).toLong, least)
    }

  /** Credentials that travel in clear text: a warning, or refused where the cluster's owner asks for it. */
  private[spark] def encryption(conf: SparkConf, hasSecrets: Boolean): Option[String] = {
    val inClear = hasSecrets && !conf.getBoolean("spark.network.crypto.enabled", false) &&
      !conf.getBoolean("spark.ssl.rpc.enabled", false)
    val what = "credentials travel to the executors over Spark's RPC, which is not encrypted"
    val instead = "set spark.network.crypto.enabled=true with spark.authenticate=true"
    if (inClear && conf.getBoolean(RequireEncryption, false)) {
      throw new ConfigException(
        "ENCRYPTION",
        s"$what, and $RequireEncryption asks for it",
        s"Before the session starts, $instead."
      )
    }
    Option.when(inClear)(s"$what; $instead")
  }

  /** Spark setting: true refuses runs that would send credentials to executors in clear text. */
  val RequireEncryption = "spark.apisink.requireEncryption"

  private val MiB = 1024L * 1024
}
