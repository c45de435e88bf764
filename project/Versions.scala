/** Every version of the JVM side, in one place. */
object Versions {
  val scala = "2.13.18"
  val spark = "4.2.0"

  /** Must be the Arrow of `spark`: arrow-c-data works on the vectors of Spark's own arrow-memory and arrow-vector. */
  val arrow = "19.0.0"

  /** The Delta of the artifact name below, which carries the Spark line it is built for. */
  val delta = "4.4.0"
  val deltaArtifact = "delta-spark_4.2"
  val scalatest = "3.2.20"
  val mockOauth2Server = "2.1.10"
}
