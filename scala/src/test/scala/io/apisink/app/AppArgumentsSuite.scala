package io.apisink.app

import io.apisink.ConfigException
import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

final class AppArgumentsSuite extends AnyFunSuite {

  private def refusal(arguments: String*): String = intercept[ConfigException](AppArguments.parse(arguments)).getMessage

  test("arguments become options of the data source") {
    val parsed = AppArguments.parse(
      Seq(
        "--config",
        "a.yaml",
        "--run-id=n-1",
        "--set",
        "execution.partitions=8",
        "--set=auth.token=a=b",
        "--take-over",
        "--json"
      )
    )
    assert(parsed.contains(AppArguments(
      "a.yaml",
      Map("runId" -> "n-1", "set.execution.partitions" -> "8", "set.auth.token" -> "a=b", "takeOver" -> "true"),
      Tolerance(0, share = false),
      json = true
    )))
    assert(AppArguments.parse(Seq("--help")).isEmpty)
  }

  test("a wrong argument is named, with the one that was probably meant, and no value that may be secret") {
    assert(refusal().contains("--config is missing"))
    assert(refusal("--confg", "x").contains("Did you mean --config?"))
    assert(refusal("--config").contains("--config needs a value"))
    assert(refusal("--config", "x", "--set", "nothing").contains("--set needs KEY=VALUE"))
    assert(!refusal("--config", "x", "--set", "=hunter2").contains("hunter2"))
    assert(refusal("--config", "x", "--max-failed", "200%").contains("--max-failed is '200%'"))
  }

  test("tolerance is a number of rows or a share of them") {
    def tolerance(text: String) = AppArguments.parse(Seq("--config", "x", "--max-failed", text)).get.tolerance
    assert(tolerance("0").exceeded(1, 1000) && !tolerance("0").exceeded(0, 1000))
    assert(tolerance("10").exceeded(11, 1000) && !tolerance("10").exceeded(10, 1000))
    assert(tolerance("1%").exceeded(11, 1000) && !tolerance("1%").exceeded(10, 1000))
    assert(!tolerance("0%").exceeded(0, 0))
    assert(tolerance("0.5%").toString == "0.5%" && tolerance("10").toString == "10")
  }

  test("Delta is added to a session that lacks it, and nothing is replaced") {
    val all = AppSession.settings(new SparkConf(false))
    assert(all("spark.sql.extensions") == "io.delta.sql.DeltaSparkSessionExtension")
    val other = new SparkConf(false).set("spark.sql.extensions", "a.B").set("spark.sql.catalog.spark_catalog", "c.D")
    assert(AppSession.settings(other) ==
      Map("spark.sql.extensions" -> "a.B,io.delta.sql.DeltaSparkSessionExtension"))
  }
}
