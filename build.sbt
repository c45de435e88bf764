ThisBuild / organization := "io.apisink"
ThisBuild / version := "0.1.0-SNAPSHOT"
ThisBuild / scalaVersion := Versions.scala
ThisBuild / licenses := Seq(License.Apache2)

/** Copies the Delta jars that a Spark without Delta needs into `dist/delta`, for `spark-submit --jars`. */
lazy val deltaJars = taskKey[Seq[File]]("Copies the Delta jars into dist/delta, for spark-submit --jars")

/** The OAuth 2.0 server of a test, which runs in a process of its own: its libraries are not Spark's. */
lazy val Oauth2Server = config("oauth2-server").hide

lazy val root = (project in file("."))
  .aggregate(connector)
  .disablePlugins(AssemblyPlugin)
  .settings(
    name := "apisink-build",
    publish / skip := true
  )

lazy val connector = (project in file("scala"))
  .enablePlugins(NativePlugin)
  .settings(
    name := "apisink",
    libraryDependencies ++= Seq(
      "org.apache.spark" %% "spark-sql" % Versions.spark % Provided,
      // Spark has Arrow's vectors and memory, not this part. Intransitive, so that the jar holds no second Arrow.
      ("org.apache.arrow" % "arrow-c-data" % Versions.arrow).intransitive(),
      "io.delta" %% Versions.deltaArtifact % Versions.delta % Test,
      "org.scalatest" %% "scalatest" % Versions.scalatest % Test,
      "no.nav.security" % "mock-oauth2-server" % Versions.mockOauth2Server % Oauth2Server
    ),
    ivyConfigurations += Oauth2Server,
    autoScalaLibrary := false,
    libraryDependencies += "org.scala-lang" % "scala-library" % Versions.scala % Provided,
    scalacOptions ++= Seq(
      "-release:17",
      "-encoding:utf8",
      "-deprecation",
      "-feature",
      "-unchecked",
      "-Xlint",
      "-Wdead-code",
      "-Wunused",
      "-Werror"
    ),
    Compile / compile / javacOptions ++= Seq("--release", "17", "-Xlint:all", "-Werror"),
    Compile / doc / sources := Nil,
    // One JVM for all suites: they share a Spark session (see SparkTest).
    Test / fork := true,
    Test / testForkedParallel := false,
    Test / parallelExecution := false,
    Test / baseDirectory := (ThisBuild / baseDirectory).value,
    Test / javaOptions ++= SparkJvm.options ++ Seq("-Xmx2g", "-Dspark.ui.enabled=false"),
    Test / javaOptions += {
      val jars = update.value.select(configurationFilter(Oauth2Server.name))
      s"-Dapisink.oauth2.server=${jars.mkString(java.io.File.pathSeparator)}"
    },
    Test / testOptions += Tests.Argument(TestFrameworks.ScalaTest, "-oDF"),
    assembly / assemblyOutputPath := (ThisBuild / baseDirectory).value / "dist" / "apisink.jar",
    assembly / test := {},
    assemblyPackageScala / assembleArtifact := false,
    Compile / resourceGenerators += Def.task {
      // What the licences of the native library's parts ask for.
      Seq("NOTICE", "THIRD-PARTY").map { name =>
        val notice = (Compile / resourceManaged).value / "META-INF" / name
        IO.copyFile((ThisBuild / baseDirectory).value / name, notice)
        notice
      }
    }.taskValue,
    assembly / assemblyMergeStrategy := {
      case PathList("META-INF", "services", _*) => MergeStrategy.filterDistinctLines
      case "META-INF/MANIFEST.MF" => MergeStrategy.discard
      // Arrow's, which would speak for the whole jar.
      case "module-info.class" => MergeStrategy.discard
      case PathList("META-INF", "NOTICE") => MergeStrategy.concat
      case PathList("META-INF", _*) => MergeStrategy.first
      case _ => MergeStrategy.deduplicate
    },
    deltaJars := {
      val wanted = Set(Versions.deltaArtifact + "_2.13", "delta-storage")
      val folder = (ThisBuild / baseDirectory).value / "dist" / "delta"
      val jars = (Test / update).value
        .select(module = (module: ModuleID) => module.organization == "io.delta" && wanted(module.name))
        .filter(_.getName.endsWith(".jar"))
      IO.delete(folder)
      jars.map { jar =>
        val copy = folder / jar.getName
        IO.copyFile(jar, copy)
        copy
      }
    }
  )
