using System.Buffers;

namespace FaceDistill.Stores;

/// <summary>
/// Keeps a device busy that computes one large batch at a time: while it computes a batch, all cores draw the next one.
/// </summary>
internal static class OneFeeder
{
    /// <summary>Draws one face into a part of a batch's input.</summary>
    public delegate void Draw(int face, Span<float> input);

    /// <summary>Does all faces; each is drawn once, and batches are computed in order, one at a time.</summary>
    /// <param name="count">How many faces.</param>
    /// <param name="batch">How many of them the device takes at once.</param>
    /// <param name="values">Input values of a face.</param>
    /// <param name="draw">Draws a face; called from several threads at once.</param>
    /// <param name="compute">Computes a batch: its input, its first face, its faces.</param>
    /// <param name="done">Told how many faces a batch had.</param>
    /// <param name="cancel">Stops it between two batches.</param>
    /// <exception cref="FaceDistillException">A face cannot be drawn, or the model fails: the first of them.</exception>
    public static void Run(int count, int batch, int values, Draw draw, Action<float[], int, int> compute, Action<int> done, CancellationToken cancel)
    {
        float[][] inputs = [ArrayPool<float>.Shared.Rent(batch * values), ArrayPool<float>.Shared.Rent(batch * values)]; // one drawn, one computed
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel };
        var computing = Task.CompletedTask;
        try
        {
            for (int first = 0, turn = 0; first < count; first += batch, turn++)
            {
                var (at, faces, input) = (first, Math.Min(batch, count - first), inputs[turn % 2]);
                Parallel.For(0, faces, options, i => draw(at + i, input.AsSpan(i * values, values)));
                computing.GetAwaiter().GetResult();
                computing = Task.Run(() =>
                {
                    compute(input, at, faces);
                    done(faces);
                }, CancellationToken.None);
            }

            computing.GetAwaiter().GetResult();
        }
        catch (AggregateException e) when (e.InnerException is FaceDistillException first)
        {
            throw new FaceDistillException(first.Message, e);
        }
        finally
        {
            ((IAsyncResult)computing).AsyncWaitHandle.WaitOne(); // nobody else gets an array that is read
            Array.ForEach(inputs, input => ArrayPool<float>.Shared.Return(input));
        }
    }
}
