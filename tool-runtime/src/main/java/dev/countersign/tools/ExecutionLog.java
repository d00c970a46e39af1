package dev.countersign.tools;

import java.util.concurrent.CompletionStage;

/** Where executions are written down. A stage that completes means that the record will outlive this process. */
public interface ExecutionLog {
    /** Writes an execution down before its first attempt; while this fails nothing runs. */
    CompletionStage<?> started(Execution execution);

    /** Writes down how an execution ended. One that has no end is in doubt. */
    CompletionStage<?> ended(Execution execution);
}
