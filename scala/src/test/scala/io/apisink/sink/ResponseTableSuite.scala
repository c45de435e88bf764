package io.apisink.sink

import org.scalatest.funsuite.AnyFunSuite

final class ResponseTableSuite extends AnyFunSuite {

  test("files are few, and no task waits for the last of them") {
    def files(rows: Long, tasks: Int, bytes: Long = 0, partitions: Int = 200): Int =
      ResponseTable.fileCount(rows, bytes, partitions, tasks)
    assert(files(rows = 5, tasks = 2) === 1)
    assert(files(rows = 300000, tasks = 200) === 3)
    assert(files(rows = 300000, tasks = 2) === 4)
    assert(files(rows = 1000000, tasks = 2) === 10)
    assert(files(rows = 1000000, tasks = 4) === 12)
    assert(files(rows = 2000, tasks = 2, bytes = 2L << 30) === 16)
    assert(files(rows = 1000000, tasks = 4, partitions = 7) === 7)
    assert(files(rows = 0, tasks = 1, partitions = 0) === 1)
  }
}
