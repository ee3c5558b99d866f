using System.CommandLine;
using System.CommandLine.Parsing;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using FaceDistill.Assets;
using FaceDistill.Files;

namespace FaceDistill.Cli.Commands;

/// <summary>What options take: numbers as <see cref="InvariantNumber"/> reads them, names of a list in lower case, names of cards.</summary>
internal static partial class OptionValues
{
    private static readonly ConditionalWeakTable<Option, string[]> Lists = [];

    /// <summary>An option that takes one of these names.</summary>
    public static Option<T> OneOf<T>(this Option<T> option, IEnumerable<string> names)
    {
        Lists.Add(option, [.. names]);
        option.CompletionSources.Add([.. names]);
        return option;
    }

    /// <summary>An option that takes the names of cards, among other things: a shell completes them.</summary>
    public static Option<T> Completes<T>(this Option<T> option, string before, params string[] kinds)
    {
        option.CompletionSources.Add([.. kinds.SelectMany(Cards.Names).Select(name => before + name)]);
        return option;
    }

    /// <summary>An option that takes other names too: a shell completes these.</summary>
    public static Option<T> Offers<T>(this Option<T> option, IEnumerable<string> names)
    {
        option.CompletionSources.Add([.. names]);
        return option;
    }

    /// <summary>An argument that takes the names of cards, among other things.</summary>
    public static Argument<T> Completes<T>(this Argument<T> argument, params string[] kinds)
    {
        argument.CompletionSources.Add([.. kinds.SelectMany(Cards.Names)]);
        return argument;
    }

    /// <summary>The names that an option takes, where it takes no others; empty elsewhere.</summary>
    public static IReadOnlyList<string> Names(Option option) => Lists.TryGetValue(option, out var names) ? names
        : TypeOf(option) is { IsEnum: true } type ? [.. Enum.GetNames(type).Select(Shown)] : [];

    /// <summary>A value as it is typed.</summary>
    public static string Shown(object value) => value is Enum name ? Shown(name.ToString())
        : value is double and < 1e-3 and > 0 ? InvariantText.Of($"{value:0.##e-0}") : InvariantText.Of($"{value}");

    /// <summary>The type of an option's value.</summary>
    public static Type TypeOf(Option option) => Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;

    /// <summary>Has an option's numbers and names read here, whatever the library's own conversion does.</summary>
    public static void ReadStrictly(Option option)
    {
        var type = TypeOf(option);
        if (type == typeof(bool))
        {
            option.Arity = ArgumentArity.Zero; // a switch: what follows it is something else
        }
        else if (type.IsEnum)
        {
            option.CompletionSources.Clear();
            option.CompletionSources.Add([.. Names(option)]);
        }

        if (type.IsEnum || type == typeof(int) || type == typeof(long) || type == typeof(float) || type == typeof(double))
        {
            typeof(OptionValues).GetMethod(nameof(Parse), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type).Invoke(null, [option]);
        }
    }

    /// <summary>What is wrong with an option by itself, whatever the verb: a text that is empty or no name of its list, a folder that is not there.</summary>
    public static string? Error(OptionResult result)
    {
        var names = Names(result.Option);
        foreach (string value in result.Tokens.Select(t => t.Value))
        {
            string? wrong = value.Length == 0 ? "is empty"
                : names.Count > 0 && !names.Any(n => TypeOf(result.Option).IsEnum ? Same(n, value) : n == value)
                    ? $"'{value}' is none of {string.Join(", ", names)}{Hints.DidYouMean(value, names)}"
                : InvariantNumber.Problem(value, TypeOf(result.Option))
                ?? (result.Option == CommonOptions.Models && !Directory.Exists(value) ? $"'{value}' is no folder" : null);
            if (wrong is not null)
            {
                return $"{result.Option.Name} {wrong}";
            }
        }

        return null;
    }

    /// <summary>The first value that looks like an option and is no path that exists: a mistyped one, taken by a list or by an option before it.</summary>
    public static (string? Value, SymbolResult? By) Mistyped(CommandResult result) => result.Children
        .SelectMany(child => child.Tokens.Select(t => (t.Value, (SymbolResult?)child)))
        .FirstOrDefault(v => v.Value.StartsWith("--", StringComparison.Ordinal) && !Path.Exists(v.Value));

    // MeanSquaredError as mean-squared-error, AdamW as adamw.
    private static string Shown(string name) => WordBegins().Replace(name, "-").ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z])(?=[A-Z][a-z])")]
    private static partial Regex WordBegins();

    // Recipes write meanSquaredError.
    private static bool Same(string name, string typed) =>
        string.Equals(name.Replace("-", "", StringComparison.Ordinal), typed.Replace("-", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);

    // What does not read is refused by Error, with its reason; the value is then nobody's.
    private static void Parse<T>(Option option)
        where T : struct
    {
        static T Value(ArgumentResult result)
        {
            string text = result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
            object value = default(T);
            if (typeof(T).IsEnum)
            {
                value = typeof(T).GetEnumValues().Cast<object>().FirstOrDefault(v => Same(Shown(v), text)) ?? value;
            }
            else if (InvariantNumber.Problem(text, typeof(T)) is null)
            {
                value = Convert.ChangeType(
                    InvariantNumber.Whole(text, out long whole) ? whole : InvariantNumber.Real(text, out double real) ? real : value, typeof(T),
                    System.Globalization.CultureInfo.InvariantCulture);
            }

            return (T)value;
        }

        if (option is Option<T> plain)
        {
            plain.CustomParser = Value;
        }
        else if (option is Option<T?> perhaps)
        {
            perhaps.CustomParser = result => Value(result);
        }
    }
}
