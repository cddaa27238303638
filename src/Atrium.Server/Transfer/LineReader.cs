using System.Buffers;
using System.IO.Pipelines;

namespace Atrium.Server.Transfer;

/// <summary>One line of a file.</summary>
/// <param name="Number">The first is 1.</param>
/// <param name="Bytes">Without what ends it; null for one that is too long to be read.</param>
/// <param name="End">How many bytes of the file are read with it.</param>
internal readonly record struct Line(long Number, byte[]? Bytes, long End);

/// <summary>The lines of a file, one after the other, whatever its size. A byte order mark in front and blank lines are passed over.</summary>
internal static class LineReader
{
    /// <summary>Far above the longest thing that can be imported.</summary>
    public const int MaxLength = 1024 * 1024;

    private static ReadOnlySpan<byte> ByteOrderMark => "\uFEFF"u8;

    public static async IAsyncEnumerable<Line> ReadAsync(
        Stream file, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        PipeReader reader = PipeReader.Create(file, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        long number = 0;
        long end = 0;
        long skipped = 0;
        while (true)
        {
            ReadResult read = await reader.ReadAsync(cancellationToken);
            ReadOnlySequence<byte> buffer = read.Buffer;
            while (TryTake(ref buffer, read.IsCompleted, begun: skipped > 0, out ReadOnlySequence<byte> taken, out int ending))
            {
                number++;
                end += skipped + taken.Length + ending;
                bool tooLong = skipped + taken.Length > MaxLength;
                skipped = 0;
                byte[] bytes = tooLong ? [] : Trim(taken.ToArray(), first: number == 1);
                if (tooLong || bytes.Length > 0)
                    yield return new Line(number, tooLong ? null : bytes, end);
            }

            // What is left has no end yet; beyond the limit it is only counted.
            if (skipped + buffer.Length > MaxLength)
            {
                skipped += buffer.Length;
                buffer = buffer.Slice(buffer.End);
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
                break;
        }

        await reader.CompleteAsync();
    }

    private static bool TryTake(ref ReadOnlySequence<byte> buffer, bool isLast, bool begun, out ReadOnlySequence<byte> line, out int ending)
    {
        ending = 0;
        line = buffer;
        if (buffer.PositionOf((byte)'\n') is { } at)
        {
            ending = 1;
            line = buffer.Slice(0, at);
            buffer = buffer.Slice(buffer.GetPosition(1, at));
            return true;
        }

        if (!isLast || (buffer.IsEmpty && !begun))
            return false;
        buffer = buffer.Slice(buffer.End);
        return true;
    }

    private static byte[] Trim(byte[] line, bool first)
    {
        ReadOnlySpan<byte> span = line;
        if (first && span.StartsWith(ByteOrderMark))
            span = span[ByteOrderMark.Length..];
        span = span.Trim(" \t\r"u8);
        return span.Length == line.Length ? line : span.ToArray();
    }
}
