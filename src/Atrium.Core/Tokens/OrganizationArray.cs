using System.Text.Json;
using Atrium.Core.Organizations;

namespace Atrium.Core.Tokens;

/// <summary>The array of the <c>organizations</c> claim: its spelling and its size.</summary>
public static class OrganizationArray
{
    /// <summary>What no entry is smaller than: one without a title and without scopes, of the shortest time.</summary>
    private static readonly int SmallestEntry = """{"id":"org_","title":null,"scopes":[],"joined_at":0}""".Length + Id<Organization>.Digits;

    /// <summary>
    /// So many memberships take up more than these bytes, whatever they say: nobody has to read more of them to know that a token carries none.
    /// </summary>
    public static int EnoughToExceed(int bytes) => (bytes / SmallestEntry) + 1;

    /// <summary>How many bytes of UTF-8 it takes up, written as every answer is.</summary>
    public static long SizeOf(IEnumerable<MembershipFacts> memberships)
    {
        using Utf8JsonWriter json = new(Stream.Null);
        Write(json, memberships);
        json.Flush();
        return json.BytesCommitted;
    }

    /// <summary>Whether it takes up more than so many bytes. Nothing is written beyond them: to know it costs no more than what fits.</summary>
    public static bool IsLarger(IEnumerable<MembershipFacts> memberships, int bytes)
    {
        const int closingBracket = 1;
        using Utf8JsonWriter json = new(Stream.Null);
        json.WriteStartArray();
        foreach (MembershipFacts membership in memberships)
        {
            Write(json, membership);
            json.Flush();
            if (json.BytesCommitted + closingBracket > bytes)
                return true;
        }

        return false;
    }

    internal static void Write(Utf8JsonWriter json, IEnumerable<MembershipFacts> memberships)
    {
        json.WriteStartArray();
        foreach (MembershipFacts membership in memberships)
            Write(json, membership);
        json.WriteEndArray();
    }

    internal static void WriteStrings(this Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, MembershipFacts membership)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, membership.OrganizationId.ToString());
        json.WriteString("title"u8, membership.Title);
        json.WriteStrings("scopes", membership.Scopes);
        json.WriteNumber("joined_at"u8, membership.JoinedAt.ToUnixTimeSeconds());
        json.WriteEndObject();
    }
}
