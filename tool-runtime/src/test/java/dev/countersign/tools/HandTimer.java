package dev.countersign.tools;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A timer and its clock, moved by hand: what is due runs on the thread that moves it. */
final class HandTimer extends AbstractExecutorService implements ScheduledExecutorService, InstantSource {
    static final Instant START = Instant.parse("2026-01-05T09:00:00Z");

    private final List<Task<?>> tasks = new ArrayList<>();
    private Instant now = START;
    private boolean shutdown;

    @Override
    public Instant instant() {
        return now;
    }

    /** How long from now each task waits that is neither done nor cancelled, shortest first. */
    List<Duration> pending() {
        return tasks.stream()
                .filter(task -> !task.isDone())
                .map(task -> Duration.between(now, task.due))
                .sorted()
                .toList();
    }

    void advance(Duration time) {
        Instant end = now.plus(time);
        for (Task<?> next = next(end); next != null; next = next(end)) {
            now = next.due;
            next.run();
        }
        now = end;
    }

    private Task<?> next(Instant end) {
        return tasks.stream()
                .filter(task -> !task.isDone() && !task.due.isAfter(end))
                .min(Comparator.comparing(task -> task.due))
                .orElse(null);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        return schedule(Executors.callable(command), delay, unit);
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
        if (shutdown) {
            throw new RejectedExecutionException("the timer was shut down");
        }
        Task<V> task = new Task<>(callable, now.plusNanos(unit.toNanos(delay)));
        tasks.add(task);
        return task;
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long first, long period, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long first, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void execute(Runnable command) {
        command.run();
    }

    @Override
    public void shutdown() {
        shutdown = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutdown = true;
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return shutdown;
    }

    @Override
    public boolean isTerminated() {
        return shutdown;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return shutdown;
    }

    private final class Task<V> extends FutureTask<V> implements ScheduledFuture<V> {
        private final Instant due;

        Task(Callable<V> work, Instant due) {
            super(work);
            this.due = due;
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(Duration.between(now, due));
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }
    }
}
