package io.apisink.journal

import java.util.UUID

/**
 * A set of request ids that takes 16 bytes for each, and free places: a hash table of two long arrays.
 *
 * Request ids are UUIDs of version 5, so their bits are spread already, and none is zero.
 */
final class RequestIdSet {

  private var high = new Array[Long](RequestIdSet.FirstPlaces)
  private var low = new Array[Long](RequestIdSet.FirstPlaces)
  private var count = 0

  def size: Int = count

  /** @return whether it was not there before */
  def add(id: UUID): Boolean = {
    if (count >= high.length / 4 * 3) grow()
    val isNew = put(id.getMostSignificantBits, id.getLeastSignificantBits)
    if (isNew) count += 1
    isNew
  }

  private def put(idHigh: Long, idLow: Long): Boolean = {
    val mask = high.length - 1
    var place = (idHigh ^ idLow).toInt & mask
    while (!isFree(place) && !(high(place) == idHigh && low(place) == idLow)) place = (place + 1) & mask
    val isNew = isFree(place)
    high(place) = idHigh
    low(place) = idLow
    isNew
  }

  private def isFree(place: Int): Boolean = high(place) == 0 && low(place) == 0

  private def grow(): Unit = {
    val (oldHigh, oldLow) = (high, low)
    high = new Array[Long](oldHigh.length * 2)
    low = new Array[Long](oldLow.length * 2)
    oldHigh.indices.foreach { place =>
      if (oldHigh(place) != 0 || oldLow(place) != 0) put(oldHigh(place), oldLow(place))
    }
  }
}

private object RequestIdSet {
  val FirstPlaces = 1024
}
