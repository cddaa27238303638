using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Atrium.Server.Passwords;

/// <summary>
/// Where passwords are hashed: a few threads of their own and a queue of limited length. On the thread pool a storm of
/// sign-ins would hold up every other request, and an unlimited queue would answer people who left long ago.
/// </summary>
internal sealed class HashingThreads : IDisposable
{
    private readonly BlockingCollection<Action> waiting;
    private readonly Thread[] threads;

    public HashingThreads(int count, int capacity)
    {
        waiting = new(capacity);
        threads = [.. Enumerable.Range(1, count).Select(number =>
            new Thread(Work) { IsBackground = true, Name = $"hashing-{number}" })];
        foreach (var thread in threads)
            thread.Start();
    }

    /// <summary>
    /// Queues the work, or answers false when the queue is full. A caller who gives up while waiting is released at once, and
    /// the work is then never done.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever fails belongs to the caller who waits; here it would end the process.")]
    public bool TryRun<T>(Func<T> work, out Task<T> result, CancellationToken cancellationToken)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var giveUp = cancellationToken.UnsafeRegister((_, token) => completion.TrySetCanceled(token), null);
        result = completion.Task;
        if (waiting.TryAdd(Run))
            return true;
        giveUp.Dispose();
        return false;

        void Run()
        {
            using (giveUp)
            {
                if (completion.Task.IsCompleted)
                    return;
                try
                {
                    completion.TrySetResult(work());
                }
                catch (Exception exception)
                {
                    completion.TrySetException(exception);
                }
            }
        }
    }

    /// <summary>Finishes what is queued and ends the threads.</summary>
    public void Dispose()
    {
        waiting.CompleteAdding();
        foreach (var thread in threads)
            thread.Join();
        waiting.Dispose();
    }

    private void Work()
    {
        foreach (var run in waiting.GetConsumingEnumerable())
            run();
    }
}
