package io.apisink

import java.util.Locale

/** The name that was probably meant. */
private[apisink] object NearestName {

  /** The candidate closest to `name`, ignoring case, when at most a third of it would have to be retyped. */
  def find(name: String, candidates: Seq[String]): Option[String] = {
    val lower = name.toLowerCase(Locale.ROOT)
    candidates
      .map(candidate => candidate -> distance(lower, candidate.toLowerCase(Locale.ROOT)))
      .filter { case (candidate, steps) => steps <= math.max(candidate.length, name.length) / 3 }
      .minByOption(_._2)
      .map(_._1)
  }

  /** Levenshtein's distance. */
  private def distance(a: String, b: String): Int = {
    val first = (0 to b.length).toVector
    a.foldLeft(first) { (above, char) =>
      b.indices.scanLeft(above.head + 1) { (left, j) =>
        val replace = above(j) + (if (b(j) == char) 0 else 1)
        math.min(replace, math.min(left, above(j + 1)) + 1)
      }.toVector
    }.last
  }
}
