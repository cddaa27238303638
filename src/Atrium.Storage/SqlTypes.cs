using System.Collections.Concurrent;
using System.Data;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Connections;
using Atrium.Core.Events;
using Atrium.Core.Mail;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Core.Webhooks;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Atrium.Storage;

/// <summary>How the types of the house are written into columns and read back.</summary>
internal static class SqlTypes
{
    /// <summary>
    /// By reflection and not by generated code: that one sets every <c>init</c> property, with nothing where the text has none, and so would
    /// read a setting that an older version did not write yet as off instead of as its default.
    /// </summary>
    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public static void Register()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;

        // Lists behind IN are rounded up in length, for the same reason as in AddIds.
        SqlMapper.Settings.PadListExpansions = true;
        SqlMapper.RemoveTypeMap(typeof(DateTimeOffset));
        SqlMapper.RemoveTypeMap(typeof(DateTimeOffset?));
        SqlMapper.AddTypeHandler(typeof(DateTimeOffset), new TimeHandler());
        SqlMapper.AddTypeHandler(typeof(SecretHash), new SecretHashHandler());
        Id<Realm>();
        Id<ApiKey>();
        Id<Client>();
        Id<Organization>();
        Id<OrganizationDomain>();
        Id<Membership>();
        Id<User>();
        Id<Factor>();
        Id<FactorChallenge>();
        Id<EmailVerification>();
        Id<SignIn>();
        Id<Session>();
        Id<Grant>();
        Id<Node>();
        Id<Event>();
        Id<Connection>();
        Id<Consent>();
        Id<OperatorKey>();
        Id<Webhook>();
        Id<WebhookSecret>();
        Id<Delivery>();
        Id<DeliveryClaim>();
        Id<QueuedMail>();
        Id<Invitation>();
        Json<IReadOnlyList<string>>();
        Json<IReadOnlyList<Proof>>();
        Json<IReadOnlyDictionary<string, string>>();
        Json<ClientSettings>();
        Json<OrganizationSettings>();
        Json<AuthorizationRequest>();
        Json<RealmSettings>();
        Json<EventActor>();
        Json<PostalAddress>();

        static void Id<T>()
            where T : IIdentified => SqlMapper.AddTypeHandler(typeof(Id<T>), new IdHandler<T>());

        static void Json<T>()
            where T : class => SqlMapper.AddTypeHandler(typeof(T), new JsonHandler<T>((JsonTypeInfo<T>)JsonOptions.GetTypeInfo(typeof(T))));
    }

    /// <summary>
    /// Adds ids and returns the list of their names, <c>(@name0, @name1)</c>, to stand behind IN: where Dapper expands a list itself,
    /// it asks no type handler how an element is written. Lengths are rounded up to powers of two, the last id repeated, so that lists make
    /// few different texts to prepare.
    /// </summary>
    public static string AddIds<T>(this DynamicParameters parameters, string name, IReadOnlyList<Id<T>> ids)
        where T : IIdentified
    {
        if (ids.Count == 0)
            return "(NULL)";
        int length = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)ids.Count);
        for (int i = 0; i < length; i++)
            parameters.Add($"{name}{i}", ids[Math.Min(i, ids.Count - 1)]);
        return $"({string.Join(", ", Enumerable.Range(0, length).Select(i => $"@{name}{i}"))})";
    }

    /// <summary>The same for a few hashes, as many as there are.</summary>
    public static string AddHashes(this DynamicParameters parameters, string name, IReadOnlyList<SecretHash> hashes)
    {
        if (hashes.Count == 0)
            return "(NULL)";
        for (int i = 0; i < hashes.Count; i++)
            parameters.Add($"{name}{i}", hashes[i]);
        return $"({string.Join(", ", Enumerable.Range(0, hashes.Count).Select(i => $"@{name}{i}"))})";
    }

    /// <summary>The text that a column of this type keeps.</summary>
    public static string Json<T>(T value) => JsonSerializer.Serialize(value, JsonOptions);

    /// <summary>What such a text says.</summary>
    public static T FromJson<T>(string text) => JsonSerializer.Deserialize<T>(text, JsonOptions)!;

    /// <summary>A list of columns, each as that of the table under this alias.</summary>
    public static string Of(string alias, string columns) =>
        string.Join(", ", columns.Split(',', StringSplitOptions.TrimEntries).Select(column => $"{alias}.{column}"));

    /// <summary>Says the type of what it writes even where there is nothing: PostgreSQL can't always tell the type of a bare NULL.</summary>
    private abstract class Handler<T> : SqlMapper.ITypeHandler
    {
        public void SetValue(IDbDataParameter parameter, object? value)
        {
            parameter.DbType = TypeOf(parameter);
            parameter.Value = value is null or DBNull ? DBNull.Value : Write(parameter, (T)value);
        }

        object? SqlMapper.ITypeHandler.Parse(Type destinationType, object value) => Read(value);

        protected abstract DbType TypeOf(IDbDataParameter parameter);

        protected abstract object Write(IDbDataParameter parameter, T value);

        protected abstract T? Read(object value);
    }

    /// <summary>16 bytes, most significant first, in SQLite (so that the order of the bytes is the order of time); <c>uuid</c> in PostgreSQL.</summary>
    private sealed class IdHandler<T> : Handler<Id<T>>
        where T : IIdentified
    {
        protected override DbType TypeOf(IDbDataParameter parameter) => parameter is SqliteParameter ? DbType.Binary : DbType.Guid;

        protected override object Write(IDbDataParameter parameter, Id<T> value) =>
            parameter is SqliteParameter ? value.Value.ToByteArray(bigEndian: true) : value.Value;

        protected override Id<T> Read(object value) => new(value is byte[] bytes ? new Guid(bytes, bigEndian: true) : (Guid)value);
    }

    /// <summary>Unix milliseconds.</summary>
    private sealed class TimeHandler : Handler<DateTimeOffset>
    {
        protected override DbType TypeOf(IDbDataParameter parameter) => DbType.Int64;

        protected override object Write(IDbDataParameter parameter, DateTimeOffset value) => value.ToUnixTimeMilliseconds();

        protected override DateTimeOffset Read(object value) => DateTimeOffset.FromUnixTimeMilliseconds((long)value);
    }

    private sealed class SecretHashHandler : Handler<SecretHash>
    {
        protected override DbType TypeOf(IDbDataParameter parameter) => DbType.Binary;

        protected override object Write(IDbDataParameter parameter, SecretHash value) => value.Bytes;

        protected override SecretHash Read(object value) => new((byte[])value);
    }

    private sealed class JsonHandler<T>(JsonTypeInfo<T> type) : Handler<T>
        where T : class
    {
        private const int LongestRemembered = 2048;
        private const int MostRemembered = 1024;

        private readonly ConcurrentDictionary<string, T> remembered = new(StringComparer.Ordinal);

        protected override DbType TypeOf(IDbDataParameter parameter) => DbType.String;

        protected override object Write(IDbDataParameter parameter, T value) => JsonSerializer.Serialize(value, type);

        /// <summary>
        /// The same few texts come with nearly every row (settings left as they are, empty metadata, the scopes of a plain member),
        /// and what they read as never changes: it is read once.
        /// </summary>
        protected override T? Read(object value)
        {
            string text = (string)value;
            if (text.Length > LongestRemembered)
                return JsonSerializer.Deserialize(text, type);
            if (!remembered.TryGetValue(text, out T? read))
            {
                read = JsonSerializer.Deserialize(text, type);
                if (read is null)
                    return null;
                if (remembered.Count >= MostRemembered)
                    remembered.Clear();
                remembered[text] = read;
            }

            return read;
        }
    }
}
