package dev.countersign.server.webhooks;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.function.Supplier;

/** Work on many rows in steps, so that none of them holds its locks for long. */
final class Steps {
    /** The most rows of one step. */
    static final int ROWS = 1_000;

    private Steps() {}

    /**
     * Takes steps, one after the other, until one finds less than {@link #ROWS}.
     *
     * @param step tells how many rows it has changed
     * @return how many rows all of them have changed; failed if one fails, which does not undo those before
     */
    static Future<Integer> all(Supplier<Future<Integer>> step) {
        Promise<Integer> all = Promise.promise();
        next(step, 0, all);
        return all.future();
    }

    /** One promise for all steps: a chain of futures would grow with them. */
    private static void next(Supplier<Future<Integer>> step, int before, Promise<Integer> all) {
        step.get().onFailure(all::fail).onSuccess(changed -> {
            if (changed < ROWS) {
                all.complete(before + changed);
            } else {
                next(step, before + changed, all);
            }
        });
    }
}
