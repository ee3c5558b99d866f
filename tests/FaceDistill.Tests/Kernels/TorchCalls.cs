using System.Reflection;
using System.Reflection.Emit;
using TorchSharp;

namespace FaceDistill.Tests.Kernels;

/// <summary>
/// Which methods of TorchSharp make a native scalar inside, by the compiled code of TorchSharp itself: those that return or construct a <see cref="Scalar"/>,
/// and all that call one of these. None of them keeps it alive during its native call.
/// </summary>
internal sealed class TorchCalls
{
    private static readonly Dictionary<ushort, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(c => (ushort)c.Value);

    private static readonly Assembly Torch = typeof(torch).Assembly;

    // What each of them calls that makes the scalar; null for those that do it themselves.
    private readonly Dictionary<(Module, int), MethodBase?> _making = [];

    public TorchCalls()
    {
        var callers = new Dictionary<(Module, int), List<MethodBase>>();
        var found = new Queue<MethodBase>();
        foreach (var method in Methods(Torch.GetTypes()))
        {
            if (MakesScalar(method) && _making.TryAdd(Id(method), null))
            {
                found.Enqueue(method);
            }

            foreach (var called in Called(method).Where(c => c.Module == method.Module))
            {
                (callers.TryGetValue(Id(called), out var known) ? known : callers[Id(called)] = []).Add(method);
            }
        }

        while (found.TryDequeue(out var maker))
        {
            foreach (var caller in callers.GetValueOrDefault(Id(maker)) ?? [])
            {
                if (_making.TryAdd(Id(caller), maker))
                {
                    found.Enqueue(caller);
                }
            }
        }
    }

    /// <summary>Who among these types makes a scalar, calls a method that does, or handles a type of TorchSharp whose virtual methods do.</summary>
    public IReadOnlyList<string> Forbidden(IEnumerable<Type> types)
    {
        var lines = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var method in Methods(types))
        {
            var calls = Called(method).ToList();
            lines.UnionWith(calls.Select(Why).OfType<string>().Select(why => $"{Name(method)} calls {why}"));
            // A call of a virtual method names the type that declares it first, not the one that runs: so no such type may be at hand.
            lines.UnionWith(Handled(method, calls).SelectMany(Overrides).Select(Why).OfType<string>().Select(why => $"{Name(method)} handles what runs {why}"));
        }

        return [.. lines];
    }

    /// <summary>The types of an assembly, but for one and what is nested in it.</summary>
    public static IEnumerable<Type> TypesOf(Assembly assembly, params Type[] but) => assembly.GetTypes().Where(t => !Outer(t).Any(but.Contains));

    private static IEnumerable<Type> Outer(Type type)
    {
        for (var t = type; t is not null; t = t.DeclaringType)
        {
            yield return t;
        }
    }

    private string? Why(MethodBase method) => !_making.TryGetValue(Id(method), out var maker) ? null
        : maker is null ? Name(method)
        : $"{Name(method)}, which calls {Name(maker)}";

    // A method of a constructed generic type has the token of its definition.
    private static (Module, int) Id(MethodBase method) => (method.Module, method.MetadataToken);

    private static bool MakesScalar(MethodBase method) =>
        method is MethodInfo { ReturnType: var type } ? type == typeof(Scalar) : method.DeclaringType == typeof(Scalar) && !method.IsStatic;

    private static string Name(MethodBase method) =>
        $"{method.DeclaringType?.FullName}.{method.Name}({string.Join(", ", method.GetParameters().Select(p => p.ParameterType.Name))})";

    private static IEnumerable<MethodBase> Methods(IEnumerable<Type> types)
    {
        const BindingFlags All = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;
        return types.SelectMany(t => t.GetMethods(All).Cast<MethodBase>().Concat(t.GetConstructors(All)));
    }

    private static IEnumerable<Type> Handled(MethodBase method, List<MethodBase> calls)
    {
        var own = method.GetParameters().Select(p => p.ParameterType).Concat(method.GetMethodBody()?.LocalVariables.Select(v => v.LocalType) ?? []);
        var others = calls.SelectMany(c => new[] { c.DeclaringType, (c as MethodInfo)?.ReturnType }).OfType<Type>();
        return own.Concat(others).SelectMany(t => t.IsGenericType ? t.GetGenericArguments().Append(t) : [t]).Distinct().Where(t => t.Assembly == Torch);
    }

    private static IEnumerable<MethodInfo> Overrides(Type type) => type.IsGenericParameter ? [] : type
        .GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)
        .Where(m => m.IsVirtual && m.GetBaseDefinition() is var first && first.DeclaringType?.Assembly == Torch && first.DeclaringType != m.DeclaringType);

    private static IEnumerable<MethodBase> Called(MethodBase method)
    {
        byte[] code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        Type[]? typeArguments = method.DeclaringType is { IsGenericType: true } t ? t.GetGenericArguments() : null;
        Type[]? methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < code.Length;)
        {
            var operation = code[at] == 0xfe ? Codes[(ushort)(0xfe00 | code[at + 1])] : Codes[code[at]];
            at += operation.Size;
            if (operation.OperandType is OperandType.InlineMethod or OperandType.InlineTok
                && Resolved(method.Module, BitConverter.ToInt32(code, at), typeArguments, methodArguments) is { } called)
            {
                yield return called;
            }

            at += operation.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }
    }

    private static MethodBase? Resolved(Module module, int token, Type[]? typeArguments, Type[]? methodArguments)
    {
        try
        {
            return module.ResolveMember(token, typeArguments, methodArguments) as MethodBase;
        }
        catch (Exception e) when (e is FileNotFoundException or FileLoadException or TypeLoadException)
        {
            return null; // of a library that TorchSharp can use and that is not here
        }
    }
}
