package io.apisink.spark

import java.time.Instant
import java.util.UUID

import io.apisink.{ApiSinkPlugin, ConfigException}
import io.apisink.control.{ControlFile, RunControl}
import io.apisink.config.CompiledConfig
import io.apisink.journal.{DeliveredIds, FlushLimits, ResumeRule}
import io.apisink.ledger.{Ledger, OpenRecord}
import io.apisink.metrics.Latencies
import io.apisink.progress.RunProgress
import io.apisink.session.RateKeeper
import org.apache.spark.SPARK_VERSION
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.apisink.{ConcurrentTasks, IdHash, Sessions, Shuffles}
import org.apache.spark.sql.connector.write.{BatchWrite, DataWriterFactory, PhysicalWriteInfo, WriterCommitMessage}
import org.apache.spark.util.SerializableConfiguration

/**
 * One run over one DataFrame. Everything that has an effect begins in [[createBatchWriterFactory]], which Spark calls
 * when the tasks are about to start.
 *
 * Spark prints this object: no case class, nothing secret.
 */
private[spark] final class ApiSinkBatchWrite(
    spark: SparkSession,
    config: CompiledConfig,
    columns: SourceColumns,
    warnings: Seq[String],
    run: Run,
    ledger: Ledger,
    rule: ResumeRule,
    sinkName: String,
    delivered: Option[DeliveredRows]
) extends BatchWrite {

  private val transaction = OpenRecord.newTransaction(run.id)
  private val context = spark.sparkContext
  private lazy val progress = {
    val query = Shuffles.currentQuery(spark)
    val rows = () => query.flatMap(Shuffles.rows(spark, _))
    new RunProgress(context, rows, RunProgress.interval(context), Console.say(run.id, _), config.driver.failWhen)
  }
  private var sends = false
  private var control: Option[RunControl] = None

  /** Of the attempts of all tasks; known after [[commit]]. */
  var latencies: Latencies = Latencies.none

  /** Refuses what the ledger or the sink forbids. Changes nothing; for Spark's call of `toBatch`. */
  def check(): Unit = {
    if (config.driver.sendingWindow.isDefined && !steersRate) throw ApiSinkBatchWrite.noWindow
    run.check(record)
  }

  override def createBatchWriterFactory(info: PhysicalWriteInfo): DataWriterFactory = {
    val opened = run.open(record)
    sends = opened.isDefined
    opened match {
      case None => IdleWriterFactory
      case Some(first) =>
        warnings.foreach(Console.warn(run.id, _))
        progress.start()
        control = steering
        control.foreach(_.start())
        val skipped = delivered.map(_.leaveOut(ledger.directory, first.partitions))
        new SendingWriterFactory(job(first, info.numPartitions(), skipped))
    }
  }

  // A second attempt of a task must not be refused by a coordinator that waits for a lost first one: journal files
  // have names of their own and only the attempt whose message arrives counts.
  override def useCommitCoordinator(): Boolean = false

  override def commit(messages: Array[WriterCommitMessage]): Unit =
    if (sends) {
      progress.stop()
      control.foreach(_.stop())
      val tasks = messages.toSeq.collect { case task: TaskCommit => task }
      latencies = tasks.map(_.latencies).foldLeft(Latencies.none)(_ + _)
      run.commit(tasks)
    }

  override def abort(messages: Array[WriterCommitMessage]): Unit = {
    if (sends) {
      progress.stop()
      control.foreach(_.stop())
    }
    run.failed()
  }

  override def toString: String = s"ApiSinkBatchWrite(run ${run.id}, sink $sinkName)"

  private def record: OpenRecord = OpenRecord(
    runId = run.id,
    transaction = transaction,
    planDigest = config.driver.planDigest,
    requestDigest = config.driver.requestDigest,
    partitions = config.driver.partitions,
    idColumn = config.driver.idColumn,
    idType = columns.identity.map(_.dataType.sql).mkString(", "),
    hashVector = columns.identity.flatMap(field => IdHash.vector(field.dataType)),
    columns = columns.schema.map(field => s"${field.name} ${field.dataType.sql}").mkString(", "),
    kept = columns.kept,
    sink = sinkName,
    created = Instant.now().toString,
    sparkVersion = SPARK_VERSION
  )

  private def keeper(partitions: Int): RateKeeper =
    if (context.isLocal || !config.driver.isLimited) RateKeeper.Process
    else if (ApiSinkPlugin.leases) RateKeeper.Driver
    else {
      val tasks = ConcurrentTasks.most(context, partitions)
      Console.warn(
        run.id,
        s"without spark.plugins=io.apisink.ApiSinkPlugin each task gets a fixed share of the rate limit, one of $tasks" +
          " parts: what idle tasks leave is not used by others"
      )
      RateKeeper.Share(tasks)
    }

  /** The control of the rate limits, where the driver has them in its hands. Without a general one some attempts have none. */
  private def steering: Option[RunControl] = config.driver.generalLimit.filter(_ => steersRate).map { general =>
    val file = new ControlFile(ledger.directory, Sessions.hadoopConf(spark))
    new RunControl(general, config.driver.otherLimits, file, config.driver.sendingWindow, Console.say(run.id, _))
  }

  private def steersRate: Boolean = context.isLocal || ApiSinkPlugin.leases

  private def job(first: OpenRecord, partitions: Int, delivered: Option[DeliveredIds]): WriteJob = {
    val plan = config.driver
    new WriteJob(
      run.id,
      UUID.randomUUID().toString,
      ledger.directory.toString,
      config.plan,
      config.secrets,
      columns.schema,
      columns.ordinals,
      first.rows,
      plan.batchRows,
      plan.batchBytes,
      FlushLimits(plan.flushMillis, plan.flushRows, plan.flushBytes),
      rule,
      delivered,
      clustered = partitions == first.partitions,
      keeper(partitions),
      progress.accumulator,
      context.broadcast(new SerializableConfiguration(Sessions.hadoopConf(spark)))
    )
  }
}

private object ApiSinkBatchWrite {

  def noWindow: ConfigException = new ConfigException(
    "SENDING_WINDOW",
    "execution.sending_window is kept where the slots of the rate limit are given, and on this cluster nobody gives them",
    "Start the application with spark.plugins=io.apisink.ApiSinkPlugin."
  )
}
