package io.apisink.spark

import java.io.IOException
import java.nio.file.{Files, Path => LocalPath}

import scala.collection.mutable

import io.apisink.{ApiSinkException, JournalException, Outcomes}
import io.apisink.journal.{JournalFile, ResumeRule}
import io.apisink.ledger.{Ledger, LedgerState, LockHolder, Manifest, OpenRecord, RunLock}
import io.apisink.testing.{FaultyFileSystem, Operation}
import org.apache.hadoop.fs.Path
import org.apache.spark.sql.types.StructType
import org.scalatest.funsuite.AnyFunSuite

/**
 * The run's protocol, exhaustively: the real ledger, lock and run on a real file system, with a journal and a sink that
 * are as small as the promises that they make. A driver dies, or stops and goes on later, at every one of its steps.
 *
 * What must hold in the end, whatever happened: every row is in the sink once, and an answer that was journaled was not
 * asked for again by a driver that came later.
 */
final class RunProtocolSuite extends AnyFunSuite {

  private val rows = Set("a", "b", "c")

  /** Each step of the first driver with every so many-th step of the second; 1 is all of them, which takes minutes. */
  private val stride = sys.env.get("APISINK_PROTOCOL_STRIDE").fold(8)(_.toInt)

  /** A driver dies: nothing that runs afterwards, `finally` included, has an effect any more. */
  private final class Death extends Error("the driver died")

  /** What survives drivers: the directory with ledger and journal, the sink, the server's memory of what it was asked. */
  private final class World {
    val local: LocalPath = Files.createTempDirectory("apisink-protocol-")
    val directory: Path = FaultyFileSystem.path(local.resolve("run"))
    val contents = mutable.Map.empty[String, Set[String]]
    val damaged = mutable.Set.empty[String]
    val taken = mutable.Map.empty[String, Int]
    var inSink: Seq[String] = Nil
    var asked: Seq[String] = Nil
    var files = 0

    def journaled: Set[String] = contents.collect { case (file, of) if !damaged(file) => of }.flatten.toSet

    def remove(): Unit = {
      val fs = new Path(local.toUri).getFileSystem(FaultyFileSystem.conf)
      fs.delete(new Path(local.toUri), true)
      ()
    }
  }

  /** One driver. `step` is called around each step that can be its last: file operations come from the file system. */
  private final class Driver(world: World, name: String, step: String => Unit) {
    private val conf = FaultyFileSystem.conf
    private val ledger = new Ledger(world.directory, conf)
    private val sink = new RunSink {
      override def name: String = "sink"
      override def check(): Unit = ()
      override def holds(runId: String): Boolean = world.inSink.nonEmpty
      override def append(manifest: Manifest, transaction: String): Unit = {
        step("before the append")
        val files = manifest.partitions.flatMap(_.files)
        files.find(file => world.damaged(file.path)).foreach { file =>
          throw new RuntimeException(new JournalException(JournalException.DAMAGED, s"${file.path} is torn", "again"))
        }
        // As Delta does: a version that is not above the last one is left out.
        if (world.taken.get(transaction).forall(_ < manifest.number)) {
          world.taken(transaction) = manifest.number
          world.inSink ++= files.flatMap(file => world.contents(file.path)).distinct
        }
        step("after the append")
      }
    }
    private val holder = LockHolder(name, 1, 1, None, name, "now")
    private val run = new Run(
      "run",
      idIsGiven = true,
      ledger,
      new RunLock(world.directory, conf),
      sink,
      ResumeRule.KeepAll,
      holder,
      takeOver = true
    )

    def go(): Unit = {
      val record = OpenRecord(
        "run",
        OpenRecord.newTransaction("run"),
        "plan",
        "request",
        1,
        Some("id"),
        "STRING",
        Nil,
        "id STRING",
        new StructType(),
        "sink",
        "now",
        "4"
      )
      run.check(record)
      try
        run.open(record).foreach { _ =>
          run.commit(send())
        }
      catch {
        case e: ApiSinkException =>
          run.failed()
          throw e
      }
    }

    /** One partition: its earlier files, then what they lack is asked for and journaled, a file for each row. */
    private def send(): Seq[TaskCommit] = {
      val earlier = world.contents.keys.filterNot(world.damaged).toSeq.sorted
      val missing = rows -- earlier.flatMap(world.contents)
      val own = missing.toSeq.sorted.map { row =>
        step("before a request")
        world.asked :+= row
        step("before an answer is journaled")
        world.files += 1
        val file = f"p00000/a${world.files}%d.00-00000.00000000.arrow"
        world.contents(file) = Set(row)
        step("after an answer was journaled")
        file
      }
      val files = (earlier ++ own).map(JournalFile(_, 1, 1))
      Seq(TaskCommit(0, files, Outcomes(rows = files.size.toLong), Nil))
    }
  }

  private def drive(world: World, name: String)(step: String => Unit): Unit = {
    def file(operation: Operation): Unit =
      if (operation.kind != "open") {
        step(s"${if (operation.isDone) "after" else "before"} ${operation.kind} of ${operation.path.getName}")
      }
    FaultyFileSystem.observing(file)(new Driver(world, name, step).go())
  }

  /** Drives until the driver dies at its n-th step; false when it has fewer. */
  private def dieAt(world: World, name: String, n: Int): Boolean = {
    var count = 0
    var dead = false
    try
      drive(world, name) { _ =>
        if (dead || count == n) {
          dead = true
          throw new Death
        }
        count += 1
      }
    catch {
      case _: Death => ()
    }
    dead
  }

  private def withWorld[T](body: World => T): T = {
    val world = new World
    try body(world)
    finally world.remove()
  }

  private def assertDone(world: World, clue: String): Unit = {
    assert(world.inSink.sorted == rows.toSeq.sorted, clue)
    assert(new Ledger(world.directory, FaultyFileSystem.conf).state() == LedgerState.Done, clue)
    // A driver that died amid the creation of a file leaves its hidden beginning, one that was overtaken its unlocking.
    val left =
      world.local.resolve("run").toFile.list().toSeq.filter(name => name.startsWith("lock") || name.startsWith("p"))
    assert(left.isEmpty, clue)
  }

  test("a driver that dies at any step, and its successor too, lose nothing, repeat nothing and write each row once") {
    var first = 0
    var pairs = 0
    while (withWorld(world => dieAt(world, "first", first))) {
      var second = first % stride
      var more = true
      while (more) {
        withWorld { world =>
          assert(dieAt(world, "first", first))
          val before = world.journaled
          more = dieAt(world, "second", second)
          val between = world.journaled
          drive(world, "third")(_ => ())
          val clue = s"the first died at step $first, the second at step $second"
          assertDone(world, clue)
          assert(before.forall(row => world.asked.count(_ == row) == 1), clue)
          assert(between.forall(row => world.asked.count(_ == row) <= 2), clue)
        }
        pairs += 1
        second += stride
      }
      first += 1
    }
    info(s"$first steps of one driver, $pairs pairs")
    assert(first > 40)
  }

  test("a driver that stops at any step while another takes the run over does no harm when it goes on") {
    var at = 0
    var more = true
    while (more) {
      withWorld { world =>
        var count = 0
        var overtaken = false
        val ended =
          try {
            drive(world, "zombie") { _ =>
              if (count == at) {
                overtaken = true
                count += 1
                // The other driver's file operations are not the zombie's.
                drive(world, "other")(_ => ())
              } else count += 1
            }
            "it ended"
          } catch {
            case e: ApiSinkException => e.code
          }
        more = overtaken
        assertDone(world, s"stopped at step $at; $ended")
      }
      at += 1
    }
    assert(at > 40)
  }

  test("a damaged file withdraws the commit that names it, and only its rows are asked for again") {
    withWorld { world =>
      assert(dieAt(world, "first", stepsUntil("before the append")))
      val torn = world.contents.keys.head
      world.damaged += torn
      drive(world, "second")(_ => ())
      assertDone(world, "withdrawn")
      assert(world.asked.groupBy(identity).view.mapValues(_.size).toMap ==
        rows.map(row => row -> (if (world.contents(torn)(row)) 2 else 1)).toMap)
    }
  }

  private def stepsUntil(what: String): Int = withWorld { world =>
    var count = 0
    var found = -1
    drive(world, "counted") { step =>
      if (step == what && found < 0) found = count
      count += 1
    }
    found
  }

  test("a run that is done does nothing, however often it is written again") {
    withWorld { world =>
      drive(world, "first")(_ => ())
      drive(world, "second")(_ => ())
      assert(world.asked.size == rows.size)
      assertDone(world, "again")
    }
  }

  test("a second driver without leave to take over is told who holds the run") {
    withWorld { world =>
      new RunLock(world.directory, FaultyFileSystem.conf).take(LockHolder.here("app-1"), takeOver = false)
      val refused = intercept[ApiSinkException] {
        new RunLock(world.directory, FaultyFileSystem.conf).take(LockHolder.here("app-2"), takeOver = false)
      }
      assert(refused.code == "RUN_LOCKED")
      assert(
        refused.getMessage.contains("app-1") && refused.getMessage.contains(ProcessHandle.current().pid().toString)
      )
    }
  }

  test("a run that could not be given back, for the disk is full, is taken again by the same process") {
    withWorld { world =>
      val driver = LockHolder.here("app-1")
      val lock = new RunLock(world.directory, FaultyFileSystem.conf)
      lock.take(driver, takeOver = false)
      def full(operation: Operation): Unit =
        if (operation.path.getName.contains("unlock")) throw new IOException("No space left on device")
      intercept[IOException](FaultyFileSystem.observing(full)(lock.release()))
      assert(new RunLock(world.directory, FaultyFileSystem.conf).take(driver, takeOver = false).isEmpty)
    }
  }
}
