package org.apache.spark.sql.apisink

import scala.util.Try

import org.apache.spark.SparkContext
import org.apache.spark.SparkConf

/** How many tasks a cluster can run at once. */
object ConcurrentTasks {

  /**
   * The most tasks of a job that can run at once, now or with the executors that may still come.
   *
   * @param partitions of the job
   */
  def most(context: SparkContext, partitions: Int): Int = {
    val now =
      Try(context.maxNumConcurrentTasks(context.resourceProfileManager.defaultResourceProfile)).getOrElse(partitions)
    val later = configured(context.conf)
    math.max(1, math.min(partitions, later.fold(partitions)(math.max(_, now))))
  }

  /** By the settings that bound a cluster; none when nothing does. */
  private[apisink] def configured(conf: SparkConf): Option[Int] = {
    val perTask = math.max(1, conf.getInt("spark.task.cpus", 1))
    val cores = conf.getOption("spark.executor.cores").map(_.toInt)
    val executors =
      if (conf.getBoolean("spark.dynamicAllocation.enabled", false))
        conf.getOption("spark.dynamicAllocation.maxExecutors")
      else conf.getOption("spark.executor.instances")
    val byExecutors = for (e <- executors; c <- cores) yield e.toInt * (c / perTask)
    val byCores = conf.getOption("spark.cores.max").map(_.toInt / perTask)
    val clustered = byExecutors.orElse(byCores)
    clustered.orElse(localCluster(conf.get("spark.master", ""), perTask))
  }

  private def localCluster(master: String, perTask: Int): Option[Int] = master match {
    case s"local-cluster[$workers,$cores,$_]" =>
      for (w <- workers.trim.toIntOption; c <- cores.trim.toIntOption) yield w * (c / perTask)
    case _ => None
  }
}
