using System.Buffers.Binary;
using System.Text;

namespace Atrium.Server.Dns;

/// <summary>What came of reading a message as the answer to a question.</summary>
public abstract record DnsReading
{
    private DnsReading()
    {
    }

    /// <summary>The TXT records of the name asked for; none where it has none, or does not exist.</summary>
    public sealed record Texts(IReadOnlyList<string> Values) : DnsReading;

    /// <summary>Too long for a datagram: to be asked again over TCP.</summary>
    public sealed record Truncated : DnsReading;

    /// <summary>The server could not tell.</summary>
    public sealed record Failed : DnsReading;

    /// <summary>It is no answer to this question, or malformed: as if it had not come.</summary>
    public sealed record NotOurs : DnsReading;
}

/// <summary>A question for TXT records and its answer as they go over the wire (RFC 1035 section 4). Whatever breaks a rule there is no answer.</summary>
public static class DnsMessage
{
    /// <summary>RFC 1035 section 4.2.1: without EDNS, no datagram is longer.</summary>
    public const int MaxDatagram = 512;

    private const int HeaderLength = 12;
    private const int MaxNameLength = 253;
    private const int MaxLabelLength = 63;
    private const ushort TypeCname = 5;
    private const ushort TypeTxt = 16;
    private const ushort ClassInternet = 1;
    private const ushort RecursionDesired = 0x0100;

    /// <summary>More than any name is led on by; what goes further leads nowhere.</summary>
    private const int MaxAliases = 8;

    /// <summary>The question; null for what can be no name.</summary>
    public static byte[]? Ask(ushort id, string name)
    {
        string[] labels = name.Split('.');
        if (name.Length > MaxNameLength || !labels.All(static label => label.Length is > 0 and <= MaxLabelLength && Ascii.IsValid(label)))
            return null;
        List<byte> message = [.. new byte[HeaderLength]];
        foreach (string label in labels)
        {
            message.Add((byte)label.Length);
            message.AddRange(Encoding.ASCII.GetBytes(label));
        }

        message.AddRange([0, 0, (byte)TypeTxt, 0, (byte)ClassInternet]);
        byte[] bytes = [.. message];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, id);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), RecursionDesired);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), 1);
        return bytes;
    }

    public static DnsReading Read(ReadOnlySpan<byte> message, ushort id, string name)
    {
        if (message.Length < HeaderLength || BinaryPrimitives.ReadUInt16BigEndian(message) != id)
            return new DnsReading.NotOurs();
        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        bool isAnswerToQuery = (flags & 0xF800) == 0x8000;
        int at = HeaderLength;
        if (!isAnswerToQuery
            || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1
            || ReadName(message, ref at) is not { } asked || !IsSame(asked, name)
            || ReadNumber(message, ref at) != TypeTxt || ReadNumber(message, ref at) != ClassInternet)
        {
            return new DnsReading.NotOurs();
        }

        if ((flags & 0x0200) != 0)
            return new DnsReading.Truncated();
        return (flags & 0x000F) switch
        {
            0 => ReadAnswers(message, at, BinaryPrimitives.ReadUInt16BigEndian(message[6..]), name),
            3 => new DnsReading.Texts([]),
            _ => new DnsReading.Failed(),
        };
    }

    /// <summary>The texts that stand under the name, or under the one that its aliases lead to.</summary>
    private static DnsReading ReadAnswers(ReadOnlySpan<byte> message, int at, int count, string name)
    {
        Dictionary<string, string> aliases = new(StringComparer.OrdinalIgnoreCase);
        List<(string Owner, string Text)> texts = [];
        for (int i = 0; i < count; i++)
        {
            if (ReadName(message, ref at) is not { } owner
                || ReadNumber(message, ref at) is not { } type
                || ReadNumber(message, ref at) is not { } recordClass
                || at + 4 > message.Length)
            {
                return new DnsReading.NotOurs();
            }

            at += 4;
            if (ReadNumber(message, ref at) is not { } length || at + length > message.Length)
                return new DnsReading.NotOurs();
            int end = at + length;
            if (recordClass == ClassInternet && type == TypeTxt)
            {
                if (ReadText(message[at..end]) is not { } text)
                    return new DnsReading.NotOurs();
                texts.Add((owner, text));
            }
            else if (recordClass == ClassInternet && type == TypeCname)
            {
                int target = at;
                if (ReadName(message, ref target) is not { } alias || target != end)
                    return new DnsReading.NotOurs();
                aliases[owner] = alias;
            }

            at = end;
        }

        string stands = name;
        for (int i = 0; i < MaxAliases && aliases.TryGetValue(stands, out string? next); i++)
            stands = next;
        return new DnsReading.Texts([.. texts.Where(entry => IsSame(entry.Owner, stands)).Select(static entry => entry.Text)]);
    }

    /// <summary>One or more character strings, which together are the text (RFC 1035 section 3.3.14).</summary>
    private static string? ReadText(ReadOnlySpan<byte> data)
    {
        StringBuilder text = new(data.Length);
        while (!data.IsEmpty)
        {
            int length = data[0];
            if (length >= data.Length)
                return null;
            text.Append(Encoding.Latin1.GetString(data.Slice(1, length)));
            data = data[(length + 1)..];
        }

        return text.ToString();
    }

    /// <summary>A name, which may go on elsewhere (RFC 1035 section 4.1.4): only ever further to the front, so that it comes to an end.</summary>
    private static string? ReadName(ReadOnlySpan<byte> message, ref int at)
    {
        StringBuilder name = new();
        int position = at;
        int before = at;
        bool hasJumped = false;
        while (position < message.Length)
        {
            int length = message[position];
            if (length == 0)
            {
                if (!hasJumped)
                    at = position + 1;
                return name.ToString();
            }

            if ((length & 0xC0) == 0xC0)
            {
                if (position + 1 >= message.Length)
                    return null;
                int target = ((length & 0x3F) << 8) | message[position + 1];
                if (target >= before)
                    return null;
                if (!hasJumped)
                    at = position + 2;
                hasJumped = true;
                position = before = target;
                continue;
            }

            if (length > MaxLabelLength || position + 1 + length > message.Length || name.Length + length + 1 > MaxNameLength + 1)
                return null;
            // A dot within a label would make it look like two.
            ReadOnlySpan<byte> label = message.Slice(position + 1, length);
            if (label.Contains((byte)'.'))
                return null;
            if (name.Length > 0)
                name.Append('.');
            name.Append(Encoding.Latin1.GetString(label));
            position += length + 1;
        }

        return null;
    }

    private static ushort? ReadNumber(ReadOnlySpan<byte> message, ref int at)
    {
        if (at + 2 > message.Length)
            return null;
        at += 2;
        return BinaryPrimitives.ReadUInt16BigEndian(message[(at - 2)..]);
    }

    private static bool IsSame(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}
