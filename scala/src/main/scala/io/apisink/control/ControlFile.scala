package io.apisink.control

import com.fasterxml.jackson.databind.JsonNode
import io.apisink.Json
import io.apisink.Json._
import io.apisink.journal.Files
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

/**
 * What somebody wants of a run while it goes on.
 *
 * @param perSecond attempts per second in place of the config's limit
 * @param paused whether nothing is sent
 */
final case class Wish(perSecond: Option[Double] = None, paused: Boolean = false)

/**
 * The file `control.json` in a run's directory, beside its ledger: `{"maxRequestsPerSecond": 10, "paused": true}`, both
 * keys as one likes. Whoever may write there steers the run; no file, no wish.
 */
final class ControlFile(run: Path, conf: Configuration) {

  val path = new Path(run, ControlFile.Name)

  private val files = new Files(conf)

  /** @throws IllegalArgumentException when it cannot be understood, in words */
  def read(): Wish = files.read(path).fold(Wish())(bytes => ControlFile.parse(Json.parse(bytes)))
}

object ControlFile {

  private val Name = "control.json"
  private val Rate = "maxRequestsPerSecond"
  private val Paused = "paused"

  private def parse(json: JsonNode): Wish = {
    json.fieldNames().forEachRemaining { name =>
      require(name == Rate || name == Paused, s"'$name' is no key of it; there are $Rate and $Paused")
    }
    val rate = json.find(Rate).map { rate =>
      require(rate.isNumber && rate.asDouble() > 0, s"$Rate must be a number above 0")
      rate.asDouble()
    }
    val paused = json.find(Paused).exists { paused =>
      require(paused.isBoolean, s"$Paused must be true or false")
      paused.asBoolean()
    }
    Wish(rate, paused)
  }
}
